# Shared by the scripts beside it; sourced, never run.
# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root" || exit

say() { printf '%s\n' "sdcolor set-up: $*" >&2; }

fail() {
    printf '%s\n' "sdcolor set-up failed: $*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# --- system packages -------------------------------------------------------

# Runs its arguments as the administrator, without ever waiting for a
# password where nobody can type one.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo && [ -t 0 ]; then
        sudo "$@"
    elif have sudo; then
        sudo -n "$@"
    else
        return 1
    fi
}

apt_updated=no

# apt_install PACKAGE…: installs Debian packages; false if that is not possible.
apt_install() {
    have apt-get || return 1
    if [ "$apt_updated" = no ]; then
        as_root apt-get update -q >&2 || return 1
        apt_updated=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@" >&2
}

# What Qt's wheels expect of the system: library file and Debian package.
# Asking for the file, not the package, also serves systems without apt.
qt_libraries="
libEGL.so.1 libegl1
libGL.so.1 libgl1
libxkbcommon.so.0 libxkbcommon0
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libX11-xcb.so.1 libx11-xcb1
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-image.so.0 libxcb-image0
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-randr.so.0 libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-xfixes.so.0 libxcb-xfixes0
libxcb-xinerama.so.0 libxcb-xinerama0
libxcb-xkb.so.1 libxcb-xkb1
libdbus-1.so.3 libdbus-1-3
libfontconfig.so.1 libfontconfig1
libfreetype.so.6 libfreetype6
libglib-2.0.so.0 libglib2.0-0
"

# missing_packages demo|all: says what is missing, one package a line.
missing_packages() {
    local parts=$1 known library package
    known="$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null || true)"
    while read -r library package; do
        [ -n "$library" ] || continue
        case "$known" in
        *"$library "*) ;;
        *) printf '%s\n' "$package" ;;
        esac
    done <<<"$qt_libraries"
    if have dpkg-query; then
        # Draws OpenGL where there is no graphics card; found by no file name
        # that stays the same from release to release.
        [ "$(dpkg-query -W -f '${Status}' libgl1-mesa-dri 2>/dev/null)" = \
            'install ok installed' ] || printf '%s\n' libgl1-mesa-dri
        # Letters for the window where no font is installed yet.
        [ -n "$(find /usr/share/fonts /usr/local/share/fonts \
            -name '*.[to]tf' -print -quit 2>/dev/null)" ] ||
            printf '%s\n' fonts-dejavu-core
    fi
    [ "$parts" = all ] || return 0
    # A display for the tests where there is none, a window manager in it, and
    # what presses keys and buttons as a person does.
    have xvfb-run || printf '%s\n' xvfb
    have xauth || printf '%s\n' xauth
    have openbox || printf '%s\n' openbox
    have xdotool || printf '%s\n' xdotool
    # A browser and its driver, for the pages that the program writes, and an
    # independent reader of marks: the tests look at results with them.
    have chromium || have google-chrome || printf '%s\n' chromium
    have chromedriver || printf '%s\n' chromium-driver
    have exiftool || printf '%s\n' libimage-exiftool-perl
}

# install_system_packages demo|all: what Qt, and for all the tests, need of the
# system, only if it is missing.
install_system_packages() {
    local missing
    [ "$(uname -s)" = Linux ] || return 0
    mapfile -t missing < <(missing_packages "$1")
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing system packages: ${missing[*]}"
    apt_install "${missing[@]}" || fail "these system packages are missing" \
        "and could not be installed: ${missing[*]}. Install them (on" \
        "Debian and Ubuntu: sudo apt-get install ${missing[*]}) and run" \
        "the same command again."
}

# --- Python ----------------------------------------------------------------

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Prints a Python that is at least 3.11; $PYTHON, if set, is the only choice.
find_python() {
    local name
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" ||
            fail "PYTHON=$PYTHON is not a Python of at least 3.11."
        printf '%s\n' "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        if have "$name" && is_new_enough "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
    fail "no Python of at least 3.11 was found. Install one (on Debian 12" \
        "and Ubuntu 24.04: sudo apt-get install python3) or name one with" \
        "PYTHON=/path/to/python."
}

# make_environment DIR: a fresh virtual environment, whichever way works here.
make_environment() {
    local directory=$1 python version
    python="$(find_python)" || exit 1
    version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    say "making a Python $version environment in ${directory#"$root"/}"
    rm -rf "$directory"
    # Debian's python3 comes without its venv module.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        apt_install "python$version-venv" || apt_install python3-venv || true
    fi
    "$python" -m venv "$directory" 2>/dev/null ||
        { rm -rf "$directory" && "$python" -m virtualenv -q "$directory"; } ||
        fail "no virtual environment could be made. Install Python's venv" \
            "module (on Debian and Ubuntu: sudo apt-get install" \
            "python$version-venv) and run the same command again."
    # 25.1 is the first pip that knows dependency groups.
    "$directory/bin/python" -m pip install -qq --upgrade 'pip>=25.1' >&2
}

# install_torch DIR: torch first and alone, so that its build is the one meant
# here: on Linux without an NVIDIA card, the CPU build, a tenth of the size.
# A pip that was set up to look elsewhere (mirror, local wheels) is left to it.
install_torch() {
    local pip=("$1/bin/python" -m pip) configured
    configured="$("${pip[@]}" config list)"
    if [ "$(uname -s)" = Linux ] && ! have nvidia-smi &&
        ! [[ "$configured" =~ find-links|index-url ]]; then
        say "installing torch (CPU build; some minutes)"
        "${pip[@]}" install -qq -c constraints-dev.txt --retries 1 \
            --timeout 30 --index-url https://download.pytorch.org/whl/cpu \
            torch 2>/dev/null >&2 && return
        say "PyTorch's own package index gave nothing, trying the usual one"
    else
        say "installing torch (some minutes)"
    fi
    "${pip[@]}" install -qq -c constraints-dev.txt torch >&2 ||
        fail "torch could not be installed; pip's message above says why."
}

# install_project DIR [PIP-ARGUMENT…]: the checkout itself, editable.
install_project() {
    local directory=$1
    shift
    say "installing napari-sdcolor and what it needs (some minutes)"
    "$directory/bin/python" -m pip install -qq -c constraints-dev.txt \
        -e . "$@" >&2 ||
        fail "a package could not be installed; pip's message above says why."
}

# One line that changes when an environment has to be made anew.
fingerprint() {
    {
        printf '%s\n' "$root"
        cat pyproject.toml constraints-dev.txt scripts/common.sh "$@"
    } | cksum
}

# is_stamped STAMP [FILE…]: whether the environment around the file STAMP has
# what the stamp stands for, and nothing that it was made from changed since.
is_stamped() {
    local stamp=$1
    shift
    [ -x "$(dirname "$stamp")/bin/python" ] && [ -f "$stamp" ] &&
        [ "$(cat "$stamp")" = "$(fingerprint "$@")" ]
}
