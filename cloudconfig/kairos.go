package cloudconfig

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// kairosKeys returns the keys that Kairos adds to those of cloud-init.
func kairosKeys() fields {
	return fields{
		"bundles":                listOf(bundle()),
		"cloud-init-paths":       listOf(text),
		"config_url":             text,
		"cosign":                 boolean,
		"cosign-key":             text,
		"debug":                  boolean,
		"eject-cd":               boolean,
		"env":                    listOf(text),
		"fail_on_bundles_errors": boolean,
		"grub_options":           mapOf(scalar),
		"install":                install(),
		"k3s":                    kubernetes(),
		"k3s-agent":              kubernetes(),
		"k0s":                    kubernetes(),
		"k0s-worker":             kubernetes(),
		"kairos":                 mapOf(anything),
		"kcrypt":                 mapOf(anything),
		"kubevip":                mapOf(anything),
		"name":                   text,
		"options":                either{list: anything, mapping: anything, want: "a mapping"}.shape,
		"p2p":                    p2p(),
		"repositories":           listOf(anything),
		"reset":                  mapOf(anything),
		"squash-compression":     listOf(text),
		"squash-no-compression":  boolean,
		"stages":                 mapOf(listOf(stage())),
		"strict":                 boolean,
		"uki-max-entries":        number,
		"upgrade":                mapOf(anything),
		"verify":                 boolean,
		"vpn":                    mapOf(scalar),
	}
}

func install() shape {
	partition := fields{"name": text, "size": number, "fs": text, "label": text, "flags": listOf(text)}.shape
	image := fields{"size": number, "uri": text, "source": text, "fs": text, "label": text}.shape
	return fields{
		"auto":                    boolean,
		"bind_mounts":             listOf(text),
		"bundles":                 listOf(bundle()),
		"device":                  device,
		"encrypted_partitions":    listOf(text),
		"env":                     listOf(text),
		"ephemeral_mounts":        listOf(text),
		"extra-dirs-rootfs":       listOf(text),
		"extra-partitions":        listOf(partition),
		"firmware":                text,
		"force":                   boolean,
		"grub-entry-name":         text,
		"grub_options":            mapOf(scalar),
		"image":                   text,
		"no-format":               boolean,
		"no_format":               boolean,
		"nousers":                 boolean,
		"part-table":              text,
		"partitions":              fields{"oem": partition, "recovery": partition, "state": partition, "persistent": partition, "bios": partition, "efi": partition}.shape,
		"passive":                 image,
		"poweroff":                boolean,
		"reboot":                  boolean,
		"recovery-system":         image,
		"skip_copy_kcrypt_plugin": boolean,
		"source":                  text,
		"system":                  image,
	}.with(onePowerAction)
}

// device warns unless n names a disk as the installer can find one.
func device(c *checker, n *yaml.Node, path string) {
	text(c, n, path)
	v := value(n)
	if v.Kind == yaml.ScalarNode && !isNull(n) && v.Value != "auto" && !strings.HasPrefix(v.Value, "/dev/") && !strings.HasPrefix(v.Value, "script://") {
		c.warn(n, path, "is neither auto, nor starts with /dev/ or script://")
	}
}

// onePowerAction is the rule that a machine cannot both reboot and power off.
func onePowerAction(c *checker, n *yaml.Node, path string) {
	on := 0
	for key, v := range c.pairs(n, path) {
		if (key.Value == "reboot" || key.Value == "poweroff") && value(v).Value == "true" {
			on++
		}
	}
	if on > 1 {
		c.fail(n, path, "has both reboot and poweroff")
	}
}

func bundle() shape {
	return fields{"db_path": text, "local_file": boolean, "repository": text, "rootfs_path": text, "targets": listOf(text)}.shape
}

func kubernetes() shape {
	return fields{
		"args": listOf(text), "embedded_registry": boolean, "enabled": boolean, "env": mapOf(scalar),
		"replace_args": boolean, "replace_env": boolean,
	}.shape
}

func p2p() shape {
	return fields{
		"auto": fields{
			"enable": boolean,
			"ha":     fields{"enable": boolean, "master_nodes": number, "external_db": text}.shape,
		}.shape,
		"disable_dht":   boolean,
		"dns":           boolean,
		"dynamic_roles": boolean,
		"ipaddress":     text,
		"minimum_nodes": number,
		"network_id":    text,
		"network_token": text,
		"role":          text,
		"vpn":           fields{"create": boolean, "use": boolean, "env": mapOf(scalar)}.shape,
	}.shape
}

// stage returns the shape of one step of a stage. Steps may be of any number
// and stages of any name.
func stage() shape {
	dependency := fields{"name": text}.shape
	entity := fields{"path": text, "entity": text}.shape
	return fields{
		"after":                listOf(dependency),
		"authorized_keys":      mapOf(listOf(text)),
		"commands":             listOf(text),
		"datasource":           fields{"providers": listOf(text), "path": text, "userdata_name": text}.shape,
		"delete_entities":      listOf(entity),
		"directories":          listOf(fields{"path": text, "permissions": permissions, "owner": number, "group": number}.with(required("path"))),
		"dns":                  fields{"nameservers": listOf(text), "search": listOf(text), "options": listOf(text), "path": text}.shape,
		"downloads":            listOf(fields{"path": text, "url": text, "permissions": permissions, "owner": number, "group": number, "timeout": number, "owner_string": text, "ownerstring": text}.with(required("path"))),
		"ensure_entities":      listOf(entity),
		"environment":          mapOf(scalar),
		"environment_file":     text,
		"files":                listOf(stageFile()),
		"git":                  fields{"auth": fields{"username": text, "password": text, "private_key": text, "public_key": text, "insecure": boolean}.shape, "url": text, "path": text, "branch": text, "branch_only": boolean}.shape,
		"hostname":             text,
		"if":                   scalar,
		"if_files":             anything,
		"layout":               layout(),
		"modules":              listOf(text),
		"name":                 text,
		"node":                 text,
		"only_arch":            text,
		"only_os":              text,
		"only_os_version":      scalar,
		"only_service_manager": text,
		"packages":             fields{"install": listOf(text), "remove": listOf(text), "refresh": boolean, "upgrade": boolean}.shape,
		"sysctl":               mapOf(scalar),
		"systemctl":            fields{"enable": listOf(text), "disable": listOf(text), "start": listOf(text), "mask": listOf(text), "overrides": listOf(fields{"service": text, "content": text, "name": text}.shape)}.shape,
		"systemd_firstboot":    mapOf(scalar),
		"timesyncd":            mapOf(scalar),
		"unpack_images":        listOf(fields{"source": text, "target": text, "platform": text}.shape),
		"users":                mapOf(user().shape),
	}.shape
}

func stageFile() shape {
	return fields{
		"path": text, "permissions": permissions, "owner": number, "group": number, "content": scalar,
		"encoding": oneOf("b64", "base64", "gz", "gzip", "gz+base64", "gzip+base64", "gz+b64", "gzip+b64"), "owner_string": text, "ownerstring": text,
	}.with(required("path"))
}

func layout() shape {
	return fields{
		"device":           fields{"label": text, "path": text, "init_disk": boolean, "disk_name": text}.shape,
		"expand_partition": fields{"size": number}.shape,
		"add_partitions":   listOf(fields{"fsLabel": text, "pLabel": text, "size": number, "filesystem": text, "bootable": boolean}.shape),
	}.shape
}
