"""`late_names`: names that a module gets when somebody asks for them."""

import pytest

from covet.late_names import late_names


def test_a_late_name_is_looked_up_once_and_then_kept() -> None:
    module = {"__name__": "mine"}
    find, _ = late_names(module, {"Fraction": "fractions"})
    import fractions

    assert find("Fraction") is fractions.Fraction
    assert module["Fraction"] is fractions.Fraction


def test_a_late_name_may_be_called_otherwise_at_home() -> None:
    find, _ = late_names({"__name__": "mine"}, {"Ratio": "fractions:Fraction"})
    import fractions

    assert find("Ratio") is fractions.Fraction


def test_what_somebody_set_before_stays() -> None:
    module = {"__name__": "mine", "Fraction": "theirs"}
    find, _ = late_names(module, {"Fraction": "fractions"})
    assert find("Fraction") == "theirs"


def test_an_unknown_name_is_an_attribute_error_that_names_the_module() -> None:
    find, _ = late_names({"__name__": "mine"}, {"Fraction": "fractions"})
    with pytest.raises(AttributeError, match="module 'mine' has no attribute 'Fractoin'"):
        find("Fractoin")


def test_dir_lists_late_names_with_the_others() -> None:
    _, names = late_names({"__name__": "mine", "early": 1}, {"late": "fractions"})
    assert names() == ["__name__", "early", "late"]
