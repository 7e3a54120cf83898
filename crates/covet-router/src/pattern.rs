//! Patterns: the text of a path or host parsed once into literals and parameters, with optional trailing
//! parameters expanded. Used by the builder; it knows nothing of matching or of other routes.

use crate::converter::Converter;
use crate::error::{Error, Kind};

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that is compared as it is.
    Literal(Box<str>),
    /// A parameter.
    Param(Parameter),
}

/// A named hole in a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name, unique in its pattern.
    pub name: Box<str>,
    /// What text it accepts.
    pub converter: Converter,
    /// Written with a `?`.
    pub optional: bool,
}

/// Parse the pattern of a route.
pub(crate) fn parse_route(source: &str, customs: &[Box<str>]) -> Result<Vec<Piece>, Error> {
    if !source.starts_with('/') {
        return Err(Error::at(source, 0, Kind::NoLeadingSlash));
    }
    let pieces = parse(source, customs)?;
    check_optionals(source, &pieces)?;
    Ok(pieces)
}

/// Parse the pattern of a mount and append the remainder, a parameter called `path`.
pub(crate) fn parse_prefix(source: &str, customs: &[Box<str>]) -> Result<Vec<Piece>, Error> {
    let prefix = source.trim_end_matches('/');
    if !prefix.is_empty() && !prefix.starts_with('/') {
        return Err(Error::at(source, 0, Kind::NoLeadingSlash));
    }
    let mut pieces = parse(prefix, customs)?;
    refuse_optionals(source, &pieces)?;
    push_literal(&mut pieces, "/");
    pieces.push(Piece::Param(Parameter {
        name: "path".into(),
        converter: Converter::Path,
        optional: false,
    }));
    check_duplicates(source, &pieces)?;
    Ok(pieces)
}

/// Parse the pattern of a host; a port at its end is ignored, and case does not matter.
pub(crate) fn parse_host(source: &str, customs: &[Box<str>]) -> Result<Vec<Piece>, Error> {
    if source.is_empty() {
        return Err(Error::whole(source, Kind::HostEmpty));
    }
    let mut pieces = parse(source, customs)?;
    refuse_optionals(source, &pieces)?;
    if let Some(param) = parameters(&pieces).find(|param| matches!(param.converter, Converter::Custom(_))) {
        return Err(Error::whole(source, Kind::CustomInHost(param.name.clone())));
    }
    if let Some(Piece::Literal(last)) = pieces.last_mut() {
        *last = without_port(last).into();
    }
    for piece in &mut pieces {
        if let Piece::Literal(text) = piece {
            if text.contains('/') {
                return Err(Error::whole(source, Kind::HostWithSlash));
            }
            *text = text.to_ascii_lowercase().into();
        }
    }
    pieces.retain(|piece| !matches!(piece, Piece::Literal(text) if text.is_empty()));
    Ok(pieces)
}

/// Cut `:port` off a host; the colons inside `[::1]` are none.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, _)) if !host.ends_with(']') => name,
        _ => host,
    }
}

/// One list of pieces per number of optional parameters that are present, the longest first.
pub(crate) fn expand(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut variants = Vec::new();
    while matches!(pieces.last(), Some(Piece::Param(param)) if param.optional) {
        variants.push(pieces.clone());
        pieces.pop();
        if let Some(Piece::Literal(text)) = pieces.pop() {
            let shorter = text.strip_suffix('/').unwrap_or(&text);
            let shorter = if shorter.is_empty() && pieces.is_empty() {
                "/"
            } else {
                shorter
            };
            push_literal(&mut pieces, shorter);
        }
    }
    variants.push(pieces);
    variants
}

/// The pattern of a variant without converters, as it stands in OpenAPI.
pub(crate) fn format(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Param(param) => {
                out.push('{');
                out.push_str(&param.name);
                out.push('}');
            }
        }
    }
    out
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Piece::Literal(last)) = pieces.last_mut() {
        *last = format!("{last}{text}").into();
    } else {
        pieces.push(Piece::Literal(text.into()));
    }
}

fn parse(source: &str, customs: &[Box<str>]) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some(brace) = rest.find(['{', '}']) {
        let (literal, tail) = rest.split_at(brace);
        let at = source.len() - tail.len();
        push_literal(&mut pieces, literal);
        let Some(inner) = tail.strip_prefix('{') else {
            return Err(Error::at(source, at, Kind::Stray));
        };
        let Some((inner, after)) = inner.split_once('}').filter(|(inner, _)| !inner.contains('{')) else {
            return Err(Error::at(source, at, Kind::Unclosed));
        };
        pieces.push(Piece::Param(parse_parameter(source, at, inner, customs)?));
        rest = after;
    }
    push_literal(&mut pieces, rest);
    check_duplicates(source, &pieces)?;
    Ok(pieces)
}

fn parse_parameter(source: &str, at: usize, inner: &str, customs: &[Box<str>]) -> Result<Parameter, Error> {
    let (text, optional) = inner
        .strip_suffix('?')
        .map_or((inner, false), |text| (text, true));
    let (name, converter) = text.split_once(':').unwrap_or((text, "str"));
    if !is_identifier(name) || !is_identifier(converter) {
        return Err(Error::at(source, at, Kind::BadName(inner.into())));
    }
    let Some(found) = Converter::named(converter, customs) else {
        let known = Converter::names(customs).into();
        let kind = Kind::UnknownConverter {
            name: converter.into(),
            known,
        };
        // Past the '{', the name and the ':'.
        return Err(Error::at(source, at + name.len() + 2, kind));
    };
    Ok(Parameter {
        name: name.into(),
        converter: found,
        optional,
    })
}

fn is_identifier(text: &str) -> bool {
    let starts = |first: char| first.is_ascii_alphabetic() || first == '_';
    text.starts_with(starts) && text.chars().all(|c| starts(c) || c.is_ascii_digit())
}

pub(crate) fn parameters(pieces: &[Piece]) -> impl Iterator<Item = &Parameter> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Param(param) => Some(param),
        Piece::Literal(_) => None,
    })
}

fn check_duplicates(source: &str, pieces: &[Piece]) -> Result<(), Error> {
    for (index, param) in parameters(pieces).enumerate() {
        if parameters(pieces)
            .take(index)
            .any(|earlier| earlier.name == param.name)
        {
            return Err(Error::whole(source, Kind::Duplicate(param.name.clone())));
        }
    }
    Ok(())
}

fn refuse_optionals(source: &str, pieces: &[Piece]) -> Result<(), Error> {
    match parameters(pieces).find(|param| param.optional) {
        Some(param) => Err(Error::whole(source, Kind::OptionalHere(param.name.clone()))),
        None => Ok(()),
    }
}

/// Optional parameters are whole segments, and only such segments follow them.
fn check_optionals(source: &str, pieces: &[Piece]) -> Result<(), Error> {
    let mut seen: Option<&Parameter> = None;
    let mut before: Option<&Piece> = None;
    for piece in pieces {
        match piece {
            Piece::Param(param) if param.optional => {
                if !matches!(before, Some(Piece::Literal(text)) if text.ends_with('/')) {
                    return Err(Error::whole(source, Kind::OptionalInPart(param.name.clone())));
                }
                seen = Some(param);
            }
            Piece::Literal(text) if seen.is_none() || **text == *"/" => {}
            _ => {
                if let Some(optional) = seen {
                    return Err(misplaced(source, piece, optional));
                }
            }
        }
        before = Some(piece);
    }
    match (before, seen) {
        (Some(Piece::Literal(_)), Some(optional)) => {
            Err(Error::whole(source, Kind::OptionalNotLast(optional.name.clone())))
        }
        _ => Ok(()),
    }
}

fn misplaced(source: &str, piece: &Piece, optional: &Parameter) -> Error {
    let name = optional.name.clone();
    match piece {
        Piece::Literal(text) if text.starts_with('/') => Error::whole(source, Kind::OptionalNotLast(name)),
        Piece::Param(_) => Error::whole(source, Kind::OptionalNotLast(name)),
        Piece::Literal(_) => Error::whole(source, Kind::OptionalInPart(name)),
    }
}
