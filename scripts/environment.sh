# Sourced by the scripts beside it: go to the clone's top and make its .venv.
#
# prepare NAME [pip arguments...] installs once; a second run costs a checksum. PYTHON names the
# interpreter to use, else the first that is 3.11 or newer is taken. Versions are pinned in
# scripts/constraints.txt.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
exec </dev/null
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
BIN=.venv/bin

say() {
  printf '\n== %s\n' "$*" >&2
}

fit() {
  "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.11 python3.12 python3 python3.13 python}; do
    if fit "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  echo "Expected Python 3.11 or newer with venv; name one: PYTHON=/path/to/python3 $0" >&2
  return 2
}

prepare() {
  local name=$1 python stamp sum
  shift
  if ! fit "$BIN/python"; then
    python=$(find_python) || exit 2
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv || exit 2
  fi
  stamp=.venv/.prepared-$name
  sum=$(cat pyproject.toml scripts/constraints.txt | cksum; "$BIN/python" --version; pwd)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then
    return
  fi
  say "installing into .venv"
  "$BIN/python" -m pip install --quiet --upgrade "pip>=25.1" || exit 2
  "$BIN/python" -m pip install --quiet --constraint scripts/constraints.txt --editable . "$@" ||
    exit 2
  printf '%s' "$sum" >"$stamp"
}

# prepare_browser finds a Chromium and a font with Chinese characters for the tests that open pages.
# As root on Debian it installs what is missing; elsewhere it says what to install.
prepare_browser() {
  local missing=()
  if [ -z "${NAT_SCHEDULER_BROWSER:-}" ] &&
    [ -z "$(type -P chromium chromium-browser google-chrome google-chrome-stable)" ]; then
    missing+=(chromium)
  fi
  if ! { command -v fc-list && [ -n "$(fc-list :lang=zh)" ]; } >/dev/null 2>&1; then
    missing+=(fontconfig fonts-wqy-microhei)
  fi
  if [ ${#missing[@]} -eq 0 ]; then
    return
  fi
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    say "apt-get install ${missing[*]}"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
      --no-install-recommends "${missing[@]}"; } >/dev/null || exit 2
    return
  fi
  cat >&2 <<END
Expected a Chromium and a font with Chinese characters, found none. Tests that open pages will fail.
  with root:     sudo apt-get install ${missing[*]}
  without root:  put a Chromium or Chrome you may run into NAT_SCHEDULER_BROWSER, and a font such as
                 WenQuanYi Micro Hei into ~/.local/share/fonts, then run fc-cache
END
}
