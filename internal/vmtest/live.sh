#!/bin/sh
# Makes the root file system of a live system, as a tar on standard output.
#
#	live.sh PROGRAM MIRROR
#
# It is a Debian with a kernel, an initrd that finds the medium as dracut's
# module dmsquash-live does, and the boot loaders of this computer. Of the
# kernel's drivers it has those for the drives of virtual machines: less is
# quicker to make, to pack and to boot. PROGRAM becomes /usr/sbin/live-report.
set -ef

program=$1
mirror=$2
modules='/lib/modules/*/kernel'
options=$(mktemp)
trap 'rm -f "$options"' EXIT

# dpkg's last rule that matches a file counts.
for path in doc man locale info; do
	echo "path-exclude /usr/share/$path/*"
done >"$options"
{
	echo force-unsafe-io
	# Databases of hardware and of character sets; and the hook that makes an
	# initrd for each package that changes what may be in it.
	echo "path-exclude /usr/lib/*/gconv/*"
	echo "path-exclude /lib/udev/hwdb.d/*"
	echo "path-exclude /usr/lib/udev/hwdb.d/*"
	echo "path-exclude /etc/kernel/postinst.d/dracut"
	for path in arch/x86/kvm crypto drivers fs net sound; do
		echo "path-exclude $modules/$path/*"
	done
	for path in lib/test_bpf.ko 'drivers/virtio/*' drivers/block/virtio_blk.ko drivers/block/loop.ko 'drivers/cdrom/*' \
		drivers/scsi/scsi_common.ko drivers/scsi/scsi_mod.ko drivers/scsi/sd_mod.ko drivers/scsi/sr_mod.ko drivers/scsi/virtio_scsi.ko \
		'drivers/ata/*ahci.ko' drivers/ata/libata.ko 'drivers/ata/ata_*.ko' \
		'drivers/usb/common/*' 'drivers/usb/core/*' 'drivers/usb/host/?hci*.ko' drivers/usb/storage/uas.ko drivers/usb/storage/usb-storage.ko \
		'crypto/crc*' 'fs/squashfs/*' 'fs/isofs/*' 'fs/overlayfs/*' 'fs/fat/*' 'fs/nls/nls_*' 'fs/efivarfs/*'; do
		echo "path-include $modules/$path"
	done
} >>"$options"

# In the new root, which is $1. What it must not do is done by now, and what
# it has to keep is put back.
essential='mkdir -p "$1/etc/kernel/postinst.d"
printf "#!/bin/sh\n" >"$1/etc/kernel/postinst.d/dracut"
chmod 755 "$1/etc/kernel/postinst.d/dracut"'
customize='set -e
rm "$1/etc/kernel/postinst.d/dracut"
install -D -m 755 "$PROGRAM" "$1/usr/sbin/live-report"
for file in /usr/lib/shim/shimx64.efi.signed /usr/lib/shim/mmx64.efi.signed /usr/lib/grub/x86_64-efi-signed/*; do
	[ ! -f "$file" ] || install -D -m 644 "$file" "$1$file"
done
mkdir -p "$1/usr/lib/grub"
[ ! -d /usr/lib/grub/i386-pc ] || cp -r /usr/lib/grub/i386-pc "$1/usr/lib/grub/"
# What the scripts of a whole boot do takes minutes where there is no KVM.
cat >"$1/etc/inittab" <<EOF
id:2:initdefault:
si::sysinit:/bin/hostname live
S0:2:respawn:/sbin/getty -L ttyS0 115200 vt100
EOF
chroot "$1" sh -e -c "release=\$(ls /lib/modules); dracut --force --no-hostonly --no-hostonly-cmdline \
	--no-early-microcode --compress \"zstd -1\" \
	--modules \"base dash dmsquash-live kernel-modules rootfs-block udev-rules\" --omit \"bash shutdown\" \
	--drivers \"ahci ata_piix ehci_pci isofs loop nls_ascii nls_cp437 overlay sd_mod squashfs sr_mod uas uhci_hcd usb_storage vfat virtio_blk virtio_pci virtio_scsi xhci_pci\" \
	/boot/initrd.img-\$release \$release"'

export PROGRAM="$program"
mmdebstrap --mode=root --variant=essential --format=tar \
	--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
	--include=usr-is-merged,linux-image-amd64,dracut,dracut-live,udev,kmod,sysvinit-core,zstd,login,util-linux \
	--aptopt='APT::Install-Recommends "false"' --dpkgopt="$options" \
	--essential-hook="$essential" --customize-hook="$customize" \
	bookworm - "$mirror"
