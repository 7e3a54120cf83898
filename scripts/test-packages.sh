#!/usr/bin/env bash
# Installs the system's packages that some tests need and skip without: Debian's Chromium with its driver and one font
# (tests/browser), iproute2 (peers that vanish, tests/reliability). Needs root; safe to repeat.
set -euo pipefail
packages=(chromium chromium-driver fonts-dejavu-core iproute2)
command -v chromium >/dev/null && command -v chromedriver >/dev/null && command -v ip >/dev/null && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "note: some tests will be skipped; as root, apt-get install ${packages[*]} lets them run" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
