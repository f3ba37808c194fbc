#!/bin/sh
# Installs leat from this folder, on any Linux with systemd or SysV init. Run it as root.
#
#   ./install.sh              installs, or upgrades: configuration and data are kept
#   ./install.sh --remove     stops and removes it; configuration and data are kept
#
# With DESTDIR=/mnt/root it does so in another root, where it starts and stops nothing.
set -eu
cd "$(dirname "$0")"
root="${DESTDIR-}"
# The service is managed only where it runs: not in another root.
systemd=""
sysv=""
if [ -d "$root/usr/lib/systemd/system" ] || [ -d "$root/lib/systemd/system" ]; then
  systemd=yes
elif [ -d "$root/etc/init.d" ]; then
  sysv=yes
fi

# Documentation aside, what is installed where.
files="usr/bin/leat usr/lib/leat/take-config usr/share/leat/leat.json
       usr/lib/udev/rules.d/60-leat-serial.rules usr/share/man/man1/leat.1.gz
       usr/share/bash-completion/completions/leat usr/share/zsh/vendor-completions/_leat
       usr/share/fish/vendor_completions.d/leat.fish"
[ -z "$systemd" ] || files="$files usr/lib/systemd/system/leat.service"
[ -z "$sysv" ] || files="$files etc/init.d/leat"

service() { # service start|stop
  [ -z "$root" ] || return 0
  if [ -n "$systemd" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    case "$1" in
      start) systemctl enable --quiet leat.service && systemctl restart leat.service ;;
      stop) systemctl disable --quiet --now leat.service ;;
    esac
  elif [ -n "$sysv" ]; then
    case "$1" in
      start)
        if command -v update-rc.d >/dev/null; then update-rc.d leat defaults
        else echo "install.sh: have your init start /etc/init.d/leat"; fi
        /etc/init.d/leat restart ;;
      stop)
        /etc/init.d/leat stop
        ! command -v update-rc.d >/dev/null || update-rc.d -f leat remove ;;
    esac
  else
    echo "install.sh: no systemd and no /etc/init.d here: run \`leat run -c /etc/leat/leat.json\`" \
      "as the user leat"
  fi
}

if [ "${1-}" = --remove ]; then
  service stop || true
  for file in $files; do rm -f "$root/$file"; done
  rm -rf "$root/usr/share/doc/leat"
  rmdir "$root/usr/lib/leat" "$root/usr/share/leat" 2>/dev/null || true
  echo "install.sh: removed; /etc/leat, /var/lib/leat and the user leat are still there"
  exit 0
fi

for file in $files; do
  mkdir -p "$root/${file%/*}"
  cp "$file" "$root/$file.new" # beside it, for a binary that runs cannot be written to
  mv "$root/$file.new" "$root/$file"
done
mkdir -p "$root/usr/share/doc/leat"
cp -R usr/share/doc/leat/. "$root/usr/share/doc/leat/"
mkdir -p "$root/etc/leat" "$root/var/lib/leat"
[ -e "$root/etc/leat/leat.json" ] || cp usr/share/leat/leat.json "$root/etc/leat/leat.json"
if [ -n "$root" ]; then
  echo "install.sh: in $root there must be a user leat in the groups leat and dialout, who owns" \
    "/var/lib/leat, and the service must be enabled"
  exit 0
fi

for group in leat dialout; do
  grep -q "^$group:" /etc/group || groupadd --system $group 2>/dev/null || addgroup -S $group
done
id leat >/dev/null 2>&1 ||
  useradd --system --gid leat --no-create-home --home-dir /var/lib/leat --shell /bin/false leat \
    2>/dev/null || adduser -S -D -H -h /var/lib/leat -s /bin/false -G leat leat
usermod -a -G dialout leat 2>/dev/null || addgroup leat dialout
chown leat:leat /var/lib/leat
chown root:leat /etc/leat /etc/leat/leat.json
chmod 0750 /var/lib/leat /etc/leat
chmod 0640 /etc/leat/leat.json
service start
