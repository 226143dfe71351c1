package cloudconfig

import (
	"maps"

	"go.yaml.in/yaml/v3"
)

// rootShape returns the shape of a document: the keys of cloud-init's modules
// and those of Kairos. Modules that few use are known by name only.
func rootShape() shape {
	f := fields{
		"apt_reboot_if_required":     boolean,
		"bootcmd":                    commands(),
		"ca_certs":                   fields{"remove_defaults": boolean, "trusted": listOf(text)}.shape,
		"chpasswd":                   passwords().shape,
		"create_hostname_file":       boolean,
		"disable_root":               boolean,
		"disable_root_opts":          text,
		"final_message":              text,
		"fqdn":                       text,
		"groups":                     either{scalar: text, list: anything, mapping: anything}.shape,
		"growpart":                   fields{"mode": scalar, "devices": textOrList(), "ignore_growroot_disabled": boolean}.shape,
		"hostname":                   text,
		"keyboard":                   fields{"layout": text, "model": text, "variant": text, "options": text}.shape,
		"locale":                     scalar,
		"locale_configfile":          text,
		"manage_etc_hosts":           scalar,
		"manage_resolv_conf":         boolean,
		"merge_how":                  anything,
		"mount_default_fields":       listOf(scalar),
		"mounts":                     listOf(either{list: listOf(scalar), want: "a list"}.shape),
		"no_ssh_fingerprints":        boolean,
		"ntp":                        ntp().shape,
		"package_reboot_if_required": boolean,
		"package_update":             boolean,
		"package_upgrade":            boolean,
		"packages":                   listOf(either{scalar: text, list: listOf(scalar), mapping: anything}.shape),
		"password":                   text,
		"power_state":                fields{"mode": oneOf("halt", "poweroff", "reboot"), "delay": scalar, "message": text, "timeout": number, "condition": anything}.shape,
		"prefer_fqdn_over_hostname":  boolean,
		"preserve_hostname":          boolean,
		"resize_rootfs":              scalar,
		"runcmd":                     commands(),
		"ssh_authorized_keys":        listOf(text),
		"ssh_deletekeys":             boolean,
		"ssh_genkeytypes":            listOf(text),
		"ssh_import_id":              listOf(text),
		"ssh_keys":                   mapOf(text),
		"ssh_publish_hostkeys":       fields{"enabled": boolean, "blacklist": listOf(text)}.shape,
		"ssh_pwauth":                 scalar,
		"ssh_quiet_keygen":           boolean,
		"swap":                       fields{"filename": text, "size": scalar, "maxsize": scalar}.shape,
		"timezone":                   text,
		"user":                       either{scalar: text, mapping: user().shape, want: "a text or a mapping"}.shape,
		"users":                      either{scalar: text, list: listOf(either{scalar: text, list: listOf(text), mapping: user().with(required("name", "snapuser"))}.shape), mapping: mapOf(anything), want: "a list"}.shape,
		"version":                    scalar,
		"write_files":                listOf(cloudInitFile()),
	}
	for _, name := range []string{
		"allow_public_ssh_keys", "ansible", "apk_repos", "apt", "apt_pipelining", "apt_sources", "authkey_hash", "autoinstall",
		"bootloader", "byobu_by_default", "chef", "cloud_config_modules", "cloud_final_modules", "cloud_init_modules",
		"datasource", "datasource_list", "device_aliases", "disk_setup", "drivers", "fan", "fs_setup", "grub_dpkg",
		"landscape", "launch_index", "lxd", "mcollective", "merge_type", "network", "output", "phone_home", "puppet",
		"random_seed", "reporting", "resolv_conf", "rh_subscription", "rpi", "rsyslog", "salt_minion", "snap", "spacewalk",
		"ssh", "ssh_fp_console_blacklist", "ssh_key_console_blacklist", "system_info", "ubuntu_advantage", "ubuntu_pro",
		"updates", "vendor_data", "vendor_data2", "wireguard", "yum_repo_dir", "yum_repos", "zypper",
	} {
		f[name] = anything
	}
	maps.Copy(f, kairosKeys())
	return f.shape
}

// user returns the keys of a user, which cloud-init also takes with dashes.
func user() fields {
	return fields{
		"create_groups":       boolean,
		"doas":                listOf(text),
		"expiredate":          scalar,
		"gecos":               text,
		"groups":              either{scalar: text, list: listOf(text), mapping: mapOf(anything)}.shape,
		"hashed_passwd":       text,
		"homedir":             text,
		"inactive":            scalar,
		"lock_passwd":         boolean,
		"name":                text,
		"no_create_home":      boolean,
		"no_log_init":         boolean,
		"no_user_group":       boolean,
		"passwd":              text,
		"plain_text_passwd":   text,
		"primary_group":       text,
		"selinux_user":        text,
		"shell":               text,
		"snapuser":            text,
		"ssh_authorized_keys": listOf(text),
		"ssh_import_id":       listOf(text),
		"ssh_redirect_user":   boolean,
		"sudo":                either{scalar: scalar, list: listOf(text), want: "a text"}.shape,
		"system":              boolean,
		"uid":                 scalar,
	}
}

// commands is the shape of runcmd and bootcmd: lines for the shell, or lists
// of words.
func commands() shape {
	return listOf(either{scalar: scalar, list: listOf(scalar), want: "a text"}.shape)
}

func passwords() fields {
	return fields{
		"expire": boolean,
		"list":   either{scalar: text, list: listOf(text), want: "a text"}.shape,
		"users":  listOf(fields{"name": text, "password": text, "type": oneOf("hash", "text", "RANDOM")}.with(required("name"))),
	}
}

func ntp() fields {
	return fields{
		"enabled": boolean, "ntp_client": text, "servers": listOf(text), "pools": listOf(text),
		"peers": listOf(text), "allow": listOf(text), "config": anything,
	}
}

func cloudInitFile() shape {
	return fields{
		"append":      boolean,
		"content":     text,
		"defer":       boolean,
		"encoding":    oneOf("gz", "gzip", "gz+base64", "gzip+base64", "gz+b64", "gzip+b64", "b64", "base64", "text/plain"),
		"owner":       text,
		"path":        text,
		"permissions": permissions,
		"source":      fields{"uri": text, "headers": mapOf(text)}.shape,
	}.with(required("path"))
}

func textOrList() shape {
	return either{scalar: text, list: listOf(text), want: "a list"}.shape
}

// permissions fits the mode of a file as octal digits, in quotes or not. Four
// digits without a zero in front are decimal to YAML, and another mode.
func permissions(c *checker, n *yaml.Node, path string) {
	v := value(n)
	if v.Kind != yaml.ScalarNode {
		c.wrong(n, path, "octal digits")
		return
	}
	if !isOctal(v.Value) && !isNull(n) {
		c.fail(n, path, "is no mode of a file, want octal digits such as 0644")
	} else if v.ShortTag() == "!!int" && v.Value[0] != '0' {
		c.warn(n, path, "is a decimal number for YAML; put a 0 in front")
	}
}

// isOctal reports whether s is a mode such as 644, 0644 or 0o644.
func isOctal(s string) bool {
	for i, r := range s {
		if (r < '0' || r > '7') && (i != 1 || r != 'o') {
			return false
		}
	}
	return s != "" && len(s) <= 6
}
