#!/usr/bin/env bash
# Prints the newest Python (3.13, 3.12, 3.11) that really starts; `--all` prints each of them, one a line.
# $PYTHON wins. Shims of version managers may be on PATH without starting, so every candidate is run.
set -uo pipefail

version_of() { "$1" -c 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

candidates() {
  [ -n "${PYTHON:-}" ] && command -v "$PYTHON"
  for minor in 13 12 11; do
    command -v "python3.$minor"
    ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.$minor".*/bin/python3 2>/dev/null | sort -V | tail -1
  done
  command -v python3
}

seen=""
while read -r candidate; do
  version=$(version_of "$candidate") || continue
  case "$version" in 3.11 | 3.12 | 3.13) ;; *) continue ;; esac
  case " $seen " in *" $version "*) continue ;; esac
  seen="$seen $version"
  echo "$candidate"
  [ "${1:-}" = --all ] || exit 0
done < <(candidates)

if [ -z "$seen" ]; then
  echo "error: no Python 3.11, 3.12 or 3.13 with venv found" >&2
  echo "  install one, for example: apt-get install python3 python3-venv" >&2
  exit 1
fi
