# Sourced by the other scripts (POSIX sh): set_up_environment makes .venv hold exactly requirements.lock and this project.
# Nothing is done when it already does. Set OUTWARDEN_PYTHON to choose the Python.

# Print what the environment is made from: when it changes, the environment is made anew.
environment_inputs() {
  printf '%s\n' "$root" "${OUTWARDEN_PYTHON-}"
  cat "$root/scripts/environment.sh" "$root/pyproject.toml" "$root/requirements.lock"
}

environment_is_ready() {
  [ -x "$root/.venv/bin/python" ] && [ -f "$root/.venv/outwarden-inputs" ] &&
    [ "$(environment_inputs | cksum)" = "$(cat "$root/.venv/outwarden-inputs")" ]
}

say() {
  printf '%s\n' "outwarden: $*" >&2
}

# Print the full path of the Python that command $1 starts, or fail. It has to be run: a pyenv shim is there for every
# version ever installed and fails when its version is not selected; a distribution may have cut out ensurepip or sqlite3.
usable_python() {
  "$1" -I -c '
import platform, sys, sysconfig
import sqlite3, ssl, venv
if len(sys.argv) == 1:
    import ensurepip
fits = (3, 12) <= sys.version_info < (3, 15) and platform.python_implementation() == "CPython"
if not fits or sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit(1)
print(sys.executable)' ${uv:+with-uv} 2>/dev/null
}

# Print the uv on this machine, if one really runs, or fail.
find_uv() {
  for candidate in uv "${HOME-}/.local/bin/uv"; do
    "$candidate" --version >/dev/null 2>&1 && command -v "$candidate" && return
  done
  return 1
}

# Print a usable Python: OUTWARDEN_PYTHON alone when set, else python3, the versioned names, pyenv's, then what uv has or gets.
find_python() {
  if [ -n "${OUTWARDEN_PYTHON-}" ]; then
    usable_python "$OUTWARDEN_PYTHON" && return
    say "OUTWARDEN_PYTHON ($OUTWARDEN_PYTHON) is not a working CPython 3.12, 3.13 or 3.14 with ssl, sqlite3 and venv."
    return 1
  fi
  versions=${PYENV_ROOT:-${HOME-}/.pyenv}/versions
  for candidate in python3 python3.14 python3.13 python3.12 \
    "$versions"/3.14*/bin/python3 "$versions"/3.13*/bin/python3 "$versions"/3.12*/bin/python3; do
    usable_python "$candidate" && return
  done
  if [ -n "$uv" ]; then
    found=$("$uv" python find --no-project '>=3.12,<3.15' 2>/dev/null) && usable_python "$found" && return
    "$uv" python install 3.13 >&2 && found=$("$uv" python find --no-project 3.13) && usable_python "$found" && return
  fi
  say "no working CPython 3.12, 3.13 or 3.14 (with ssl, sqlite3 and venv) was found; install one, or uv, or set OUTWARDEN_PYTHON."
  return 1
}

# Wait until no other set-up works on this folder. flock(2) belongs to the open file, which this shell shares with the
# Python that asks for it: the lock outlives that Python and ends with this shell, however it ends. No flock command needed.
wait_for_turn() {
  "$python" -I -c '
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("outwarden: another set-up is at work here, waiting for it", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)'
}

# Install with pip what the lock says about uv, so that the rest takes seconds.
bootstrap_uv() {
  sed -n '/^uv==/,/[^\\]$/p' "$root/requirements.lock" >"$root/.venv/uv.lock" &&
    pip_install --no-deps -r "$root/.venv/uv.lock" && uv=$root/.venv/bin/uv && [ -x "$uv" ]
}

pip_install() {
  PIP_USER=0 "$root/.venv/bin/python" -I -m pip --disable-pip-version-check -qq install --require-hashes --only-binary :all: "$@"
}

uv_install() {
  "$uv" pip install --quiet --python "$root/.venv/bin/python" "$@"
}

# Wheels only, each with a hash of the lock. What uv cannot reach (a mirror that only pip's own files name), pip may.
install_lock() {
  if [ -n "$uv" ] || bootstrap_uv; then
    uv_install --compile-bytecode --require-hashes --only-binary :all: -r "$root/requirements.lock" && return
    say "uv could not install requirements.lock, trying pip (this takes minutes)"
  fi
  [ -x "$root/.venv/bin/pip" ] || "$root/.venv/bin/python" -I -m ensurepip >/dev/null || return
  pip_install -r "$root/requirements.lock"
}

# The project itself: a link to addons/, and the outwarden command. Everything it needs is there, so nothing is fetched.
# Compiled now, as the lock is: where PYTHONDONTWRITEBYTECODE is set, as in many containers, each start would compile all
# of both, which takes longer than the rest of the start (3.3 of 5.8 s of a processor).
install_project() {
  uv=$root/.venv/bin/uv
  uv_install --no-index --no-deps --no-build-isolation --editable "$root" &&
    "$root/.venv/bin/python" -I -m compileall -q -j 0 "$root/addons"
}

build_environment() {
  rm -rf "$root/.venv"
  say "setting up .venv with $python (once, and again when requirements.lock changes)"
  if [ -n "$uv" ]; then
    "$python" -I -m venv --without-pip "$root/.venv" || return
  else
    "$python" -I -m venv "$root/.venv" || return
  fi
  install_lock && install_project &&
    environment_inputs | cksum >"$root/.venv/outwarden-inputs" # last: without it the next start begins anew
}

# Let uv trust what the system trusts (a company's CA; two names, for a new uv and an old one), use the mirror that pip is
# told to use, and leave no link to its Python outside its own folder.
teach_uv() {
  export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS-1}" UV_NATIVE_TLS="${UV_NATIVE_TLS-1}" UV_PYTHON_INSTALL_BIN=0
  [ -z "${PIP_INDEX_URL-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX-$PIP_INDEX_URL}"
}

# Make "$1/.venv" ready, or say why not and fail. In a subshell: its variables and its lock end with it.
set_up_environment() (
  root=$1
  environment_is_ready && exit 0
  teach_uv
  uv=$(find_uv) || uv=
  python=$(find_python) || exit 1
  exec 9>"$root/.venv.lock"
  wait_for_turn || exit 1
  environment_is_ready && exit 0
  build_environment >&2 || {
    say "setting up .venv failed: see the lines above; the next start tries again"
    exit 1
  }
)
