#!/usr/bin/env bash
# Installs what tests/browser needs: Debian's Chromium with its driver and one font. Needs root; safe to repeat.
set -euo pipefail
packages=(chromium chromium-driver fonts-dejavu-core)
command -v chromium >/dev/null && command -v chromedriver >/dev/null && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "note: the browser tests need ${packages[*]}; install them as root with: apt-get install ${packages[*]}" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
