#!/bin/sh
# Installs the Debian or Ubuntu packages that the project needs and that this machine lacks. Starts none of their services.
set -eu

# Packages whose absence dpkg can tell. The lab's hosts run the machine's own sshd, systemd and dbus in their namespaces.
missing=""
for package in dbus iproute2 openssh-client openssh-server procps systemd util-linux; do
    if ! dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
        missing="$missing $package"
    fi
done

# Programs that may come from elsewhere.
java_release=$(javac -version 2>&1 | sed -n 's/^javac \([0-9][0-9]*\).*/\1/p') || true
if [ "${java_release:-0}" -lt 17 ]; then
    missing="$missing openjdk-17-jdk-headless"
fi
if ! command -v mvn >/dev/null 2>&1; then
    missing="$missing maven"
fi
if ! "${1:-python3}" -c 'import ensurepip, venv' 2>/dev/null; then
    missing="$missing $("${1:-python3}" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
fi

if [ -z "$missing" ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "setup: missing packages:$missing. Run as root, or install sudo." >&2
        exit 1
    fi
    exec sudo -- sh "$0" "$@"
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    # 101 tells the packages' scripts not to start services (invoke-rc.d(8)).
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
echo "setup: installing$missing"
# shellcheck disable=SC2086  # a list of words
if ! output=$({ apt-get -qq update && apt-get -qq --yes --no-install-recommends install $missing; } 2>&1); then
    printf '%s\n' "$output" | grep '^E:' | tail -n 1 >&2
    echo "setup: apt-get could not install$missing. Is the network reachable?" >&2
    exit 1
fi
# Whoever had no sshd before gets none at the next boot either.
case " $missing " in
*" openssh-server "*) systemctl --root=/ --quiet disable ssh.service ssh.socket 2>/dev/null || true ;;
esac
