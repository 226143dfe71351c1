#!/bin/sh
# The first program of the guest: it reports how it was booted, on the serial
# line, and switches the machine off. Data is printed as base64, so that every
# byte of it arrives.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/null >/dev/ttyS0 2>&1
dmesg -n 1

fail() {
	echo "GUEST-FAILED $*"
	poweroff -f
	sleep 60
}

report() {
	echo "GUEST-BEGIN $1"
	base64
	echo "GUEST-END $1"
}

while read -r module; do
	insmod "/modules/$module" || echo "insmod $module: failed"
done </modules/order
report cmdline </proc/cmdline

ip link set lo up
for try in 1 2 3 4 5 6 7 8 9 10; do
	[ -e /sys/class/net/eth0 ] && break
	sleep 0.1
done
ip link set eth0 up || fail "no network card"
udhcpc -i eth0 -s /lease.sh -n -q -f -t 5 -T 2 >/dev/null || fail "no address"

url=
for word in $(cat /proc/cmdline); do
	case $word in config_url=*) url=${word#config_url=} ;; esac
done
if [ -n "$url" ]; then
	wget -q -O /config "$url" || fail "cannot fetch $url"
	report config </config
fi
echo "GUEST-BOOTED"
poweroff -f
