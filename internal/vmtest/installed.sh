#!/bin/sh
# Makes the root file system of a system that runs from a disk, as a tar on
# standard output.
#
#	installed.sh MIRROR
#
# It is a Debian with a kernel, systemd, an initrd and what makes partitions
# and file systems. Of the kernel's drivers it has those for the drives of
# virtual machines: less is quicker to make and to boot. Its initrd also knows
# how a Kairos names the image that its root is in, by cos-img/filename=, and
# has /run/cos/recovery_mode then.
set -ef

mirror=$1
modules='/lib/modules/*/kernel'
options=$(mktemp)
trap 'rm -f "$options"' EXIT

# dpkg's last rule that matches a file counts.
{
	echo force-unsafe-io
	for path in doc man locale info zoneinfo lintian bash-completion; do
		echo "path-exclude /usr/share/$path/*"
	done
	echo "path-exclude /usr/lib/*/gconv/*"
	echo "path-exclude /lib/udev/hwdb.d/*"
	echo "path-exclude /usr/lib/udev/hwdb.d/*"
	echo "path-exclude /etc/kernel/postinst.d/dracut" # Makes an initrd for each package.
	for path in arch/x86/kvm crypto drivers fs net sound; do
		echo "path-exclude $modules/$path/*"
	done
	for path in lib/test_bpf.ko 'drivers/virtio/*' drivers/block/virtio_blk.ko drivers/block/loop.ko 'drivers/cdrom/*' \
		drivers/scsi/scsi_common.ko drivers/scsi/scsi_mod.ko drivers/scsi/sd_mod.ko \
		'drivers/ata/*ahci.ko' drivers/ata/libata.ko 'drivers/ata/ata_*.ko' \
		'drivers/usb/common/*' 'drivers/usb/core/*' 'drivers/usb/host/?hci*.ko' drivers/usb/storage/uas.ko drivers/usb/storage/usb-storage.ko \
		'crypto/crc*' 'fs/ext4/*' 'fs/jbd2/*' fs/mbcache.ko 'fs/squashfs/*' 'fs/overlayfs/*' 'fs/fat/*' 'fs/nls/nls_*' 'fs/efivarfs/*' 'fs/autofs/*'; do
		echo "path-include $modules/$path"
	done
} >"$options"

# In the new root, which is $1. What it must not do is done by now, and what
# it has to keep is put back.
essential='mkdir -p "$1/etc/kernel/postinst.d"
printf "#!/bin/sh\n" >"$1/etc/kernel/postinst.d/dracut"
chmod 755 "$1/etc/kernel/postinst.d/dracut"'
customize='set -e
rm "$1/etc/kernel/postinst.d/dracut"
echo installed >"$1/etc/hostname"
chroot "$1" passwd --quiet --delete root
module="$1/usr/lib/dracut/modules.d/95cos-img"
mkdir "$module"
cat >"$module/module-setup.sh" <<"END"
depends() { echo rootfs-block; }
install() {
	inst_multiple losetup blkid mount mkdir
	inst_hook initqueue/settled 10 "$moddir/cos-img.sh"
	inst_hook pre-pivot 10 "$moddir/mode.sh"
}
installkernel() { instmods loop ext4; }
END
cat >"$module/cos-img.sh" <<"END"
#!/bin/sh
img=$(getarg cos-img/filename=) || return 0
[ -e /run/cos/img ] && return 0
device=$(blkid -L COS_RECOVERY) || return 0
mkdir -p /run/cos /run/initramfs/cos-state
mount -o ro "$device" /run/initramfs/cos-state || return 0
losetup -f "/run/initramfs/cos-state/$img" && : >/run/cos/img
END
cat >"$module/mode.sh" <<"END"
#!/bin/sh
[ -e /run/cos/img ] && : >/run/cos/recovery_mode
END
chroot "$1" sh -e -c "release=\$(ls /lib/modules); dracut --force --no-hostonly --no-hostonly-cmdline \
	--no-early-microcode --compress \"zstd -1\" \
	--modules \"base dash kernel-modules rootfs-block udev-rules cos-img\" --omit \"bash shutdown\" \
	--drivers \"ahci ata_piix ehci_pci ext4 loop sd_mod uas uhci_hcd usb_storage virtio_blk virtio_pci xhci_pci\" \
	/boot/initrd.img-\$release \$release"
rm -r "$module"'

mmdebstrap --mode=root --variant=essential --format=tar \
	--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
	--include=usr-is-merged,linux-image-amd64,dracut,udev,kmod,systemd,systemd-sysv,zstd,login,passwd,mount,util-linux,e2fsprogs,gdisk \
	--aptopt='APT::Install-Recommends "false"' --dpkgopt="$options" \
	--essential-hook="$essential" --customize-hook="$customize" \
	bookworm - "$mirror"
