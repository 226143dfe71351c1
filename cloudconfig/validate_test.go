package cloudconfig_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/cloudconfig"
)

// validate returns all problems of a document whose body is text: errors
// first, in the form that a terminal shows.
func validate(t *testing.T, text string) []string {
	t.Helper()
	d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\n" + text))
	require.NoError(t, err)
	warnings, err := d.Validate()
	var all []string
	if err != nil {
		var invalid *cloudconfig.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Len(t, strings.Split(err.Error(), "\n"), len(invalid.Problems))
		for _, p := range invalid.Problems {
			all = append(all, "error: "+p.String())
		}
	}
	for _, w := range warnings {
		all = append(all, w.String())
	}
	return all
}

func TestDocumentValidate(t *testing.T) {
	t.Parallel()

	for _, test := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"# nothing\n", nil},
		{"install:\nusers:\nstages:\nwrite_files:\nruncmd:\nhostname:\n", nil},
		{"users:\n- default\n- name: a\n  lock-passwd: no\n  sudo: false\n  uid: 1000\n", nil},
		{"- a\n", []string{`error: line 2, column 1: is a list, want a mapping`}},
		{"hello\n", []string{`error: line 2, column 1: is a text, want a mapping`}},
		{"private: {a: [1]}\n", []string{`line 2, column 1: private is not a known key`}},
		{"ssh_authorized_key: []\n", []string{`line 2, column 1: ssh_authorized_key is not a known key; is ssh_authorized_keys meant?`}},
		{"users:\n  name: a\n", nil},
		{"users:\n- passwd: a\n", []string{`error: line 3, column 3: users[0] has no name or snapuser`}},
		{"users:\n- name: a\n  ssh_authorized_keys: ssh-rsa AAA\n", []string{`error: line 4, column 24: users[0].ssh_authorized_keys is a text, want a list`}},
		{"users:\n- name: a\n  ssh_authorized_keys:\n  - github: mudler\n", []string{
			`error: line 5, column 5: users[0].ssh_authorized_keys[0] is a mapping, as a colon makes it without quotes, want a text`,
		}},
		{"users:\n- name: a\n  passwd: 0123\n", []string{`line 4, column 11: users[0].passwd is a number for YAML, not a text; put it in quotes`}},
		{"hostname: true\n", []string{`line 2, column 11: hostname is true or false for YAML, not a text; put it in quotes`}},
		{"hostname: [a]\n", []string{`error: line 2, column 11: hostname is a list, want a text`}},
		{"install:\n  auto: \"true\"\n  reboot: 1\n", []string{
			`error: line 3, column 9: install.auto is a text, want true or false`,
			`error: line 4, column 11: install.reboot is a number, want true or false`,
		}},
		{"install: {auto: yes, reboot: true, poweroff: true}\n", []string{`error: line 2, column 10: install has both reboot and poweroff`}},
		{"install:\n  device: sda\n  partitions: {oem: {size: big}}\n", []string{
			`error: line 4, column 28: install.partitions.oem.size is a text, want a whole number`,
			`line 3, column 11: install.device is neither auto, nor starts with /dev/ or script://`,
		}},
		{"install: true\n", []string{`error: line 2, column 10: install is true or false, want a mapping`}},
		{"stages:\n  boot:\n    commands: [a]\n", []string{`error: line 4, column 5: stages.boot is a mapping, want a list`}},
		{"stages:\n  boot:\n  - commands: reboot\n", []string{`error: line 4, column 15: stages.boot[0].commands is a text, want a list`}},
		{"stages:\n  my-own:\n  - name: a\n    comands: [a]\n  - commands:\n    - echo a: b\n", []string{
			`error: line 7, column 7: stages.my-own[1].commands[0] is a mapping, as a colon makes it without quotes, want a text`,
			`line 5, column 5: stages.my-own[0].comands is not a known key; is commands meant?`,
		}},
		{"stages:\n  boot:\n  - files:\n    - content: a\n      permissions: 644\n    users: [a]\n    layout: {expand_partition: {size: all}}\n", []string{
			`error: line 5, column 7: stages.boot[0].files[0] has no path`,
			`error: line 7, column 12: stages.boot[0].users is a list, want a mapping`,
			`error: line 8, column 39: stages.boot[0].layout.expand_partition.size is a text, want a whole number`,
			`line 6, column 20: stages.boot[0].files[0].permissions is a decimal number for YAML; put a 0 in front`,
		}},
		{"write_files:\n- path: /a\n  encoding: rot13\n  permissions: \"0999\"\n  append: maybe\n", []string{
			`error: line 4, column 13: write_files[0].encoding is none of gz, gzip, gz+base64, gzip+base64, gz+b64, gzip+b64, b64, base64, text/plain`,
			`error: line 5, column 16: write_files[0].permissions is no mode of a file, want octal digits such as 0644`,
			`error: line 6, column 11: write_files[0].append is a text, want true or false`,
		}},
		{"write_files: {path: /a}\nruncmd: reboot\npower_state: {mode: explode}\n", []string{
			`error: line 2, column 14: write_files is a mapping, want a list`,
			`error: line 3, column 9: runcmd is a text, want a list`,
			`error: line 4, column 21: power_state.mode is none of halt, poweroff, reboot`,
		}},
		{"write_files:\n- {path: /a, permissions: [6], encoding: [gz], owner: &o {}}\nhostname: !!binary aGk=\nlocale: [a]\n", []string{
			`error: line 3, column 27: write_files[0].permissions is a list, want octal digits`,
			`error: line 3, column 42: write_files[0].encoding is a list, want a text`,
			`error: line 3, column 55: write_files[0].owner is a mapping, as a colon makes it without quotes, want a text`,
			`error: line 5, column 9: locale is a list, want a text`,
		}},
		{"runcmd:\n- [ls, -l, 5]\n- ls\n- {a: b}\n", []string{`error: line 5, column 3: runcmd[2] is a mapping, as a colon makes it without quotes, want a text`}},
		{"hostname: a\nhostname: b\ninstall:\n  auto: true\n  auto: true\n", []string{
			`error: line 3, column 1: hostname is there twice, first on line 2`,
			`error: line 6, column 3: install.auto is there twice, first on line 5`,
		}},
		{"x-base: &base\n  auto: maybe\ninstall:\n  <<: *base\n  reboot: &r true\n", []string{
			`error: line 3, column 9: install.auto is a text, want true or false`,
			`line 2, column 1: x-base is not a known key`,
		}},
		{"packages: &p [a]\nssh_import_id: *p\nhostname: *p\n", []string{`error: line 4, column 11: hostname is a list, want a text`}},
		{"runcmd:\n- echo [[ .a == b ]]\n- echo [[ uper .a ]]\n- '[[ -f x ]] && [[ $a == b ]] && [[ a < b.c ]]'\n", []string{
			`line 3, column 8: looks like an action of a template, but is none and stays as it is`,
			`line 4, column 8: looks like an action of a template, but is none and stays as it is`,
		}},
	} {
		assert.Equal(t, test.want, validate(t, test.text), test.text)
	}
}

func TestDocumentValidateWhenItCannot(t *testing.T) {
	t.Parallel()

	d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\nhostname: [[.name]]\n"))
	require.NoError(t, err)
	_, err = d.Validate()
	require.EqualError(t, err, "cloudconfig: validate: the document is a template; render it first")

	d, err = cloudconfig.Parse(strings.NewReader("## template: jinja\n#cloud-config\nhostname: {{ v1.name }}\n"))
	require.NoError(t, err)
	warnings, err := d.Validate()
	require.NoError(t, err)
	assert.Equal(t, []cloudconfig.Problem{{Line: 1, Column: 1, Message: "is a Jinja template, which is not checked"}}, warnings)
}

func TestValidationErrorLocation(t *testing.T) {
	t.Parallel()

	text := []byte("#cloud-config\nhostname: []\n")
	d, err := cloudconfig.Load(t.Context(), "c.yaml", cloudconfig.WithFS(fstest.MapFS{"c.yaml": {Data: text}}))
	require.NoError(t, err)
	_, err = d.Validate()
	require.EqualError(t, err, "cloudconfig: validate c.yaml: line 2, column 11: hostname is a list, want a text")
}

func TestDocumentValidateHeader(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]int{
		"#cloud-config\n": 0, "#cloud-config \r\n": 0, "\n#cloud-config\n": 1, "#Cloud-Config\n": 1, "#cloud-config mine\n": 1,
	} {
		d, err := cloudconfig.Parse(strings.NewReader(text))
		require.NoError(t, err)
		warnings, err := d.Validate()
		require.NoError(t, err)
		assert.Len(t, warnings, want, text)
	}
}

// TestDocumentValidateAliases checks that aliases are never followed without
// end, nor for longer than a document can need.
func TestDocumentValidateAliases(t *testing.T) {
	t.Parallel()

	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 20 {
		name := string(rune('a' + i))
		next := string(rune('b' + i))
		if i == 0 {
			name = "a0"
		}
		laughs += next + ": &" + next + " [" + strings.Repeat("*"+name+", ", 9) + "*" + name + "]\n"
	}
	all := strings.Join(validate(t, laughs+"users: *u\n"), "\n")
	assert.Contains(t, all, "error: ")
	assert.Contains(t, all, "is an alias that makes the document too large")

	for _, text := range []string{"users: &u [*u]\n", "install: &i {<<: *i}\n", "users: &u {a: {b: [*u]}}\n"} {
		assert.Contains(t, strings.Join(validate(t, text), "\n"), "is an alias of what it stands in", text)
	}
}

// TestNoSecretInErrors puts a secret everywhere where a document has one, in
// documents that are wrong around it, and looks for it in every error.
func TestNoSecretInErrors(t *testing.T) {
	t.Parallel()

	const secret = "hunter2"
	for _, text := range []string{
		"users:\n- name: a\n  passwd: [hunter2]\n  hashed_passwd: {hunter2: hunter2}\n  plain_text_passwd: {a: {hunter2: 1, hunter2: 2}}\n",
		"users:\n- name: a\n  ssh_authorized_keys: hunter2\n- ssh_authorized_keys: [[hunter2], {hunter2: hunter2}]\n  name: a\n",
		"chpasswd:\n  list: {hunter2: hunter2}\n  users: [{password: [hunter2], type: hunter2}]\n",
		"password: {hunter2: 1}\nssh_keys:\n  hunter2: [hunter2]\n", "p2p:\n  network_token: [hunter2]\n  hunter2 hunter2: hunter2\n",
		"k3s:\n  args: --token=hunter2\n  env: [K3S_TOKEN=hunter2]\n", "install:\n  auto: hunter2\n  device: hunter2\n  partitions: {oem: {size: hunter2}}\n",
		"write_files:\n- content: [hunter2]\n  path: {a: hunter2}\n  encoding: hunter2\n  permissions: hunter2\n  append: hunter2\n",
		"stages:\n  boot:\n  - git: {auth: {password: [hunter2], private_key: {hunter2: 1}}}\n    commands: hunter2\n    authorized_keys: {a: hunter2}\n",
		"? {hunter2: 1}\n: hunter2\n? [hunter2]\n: 1\n\"passwd hunter2\": 1\n", "passwd: *hunter2\n", "passwd: \"hunter2\n", "passwd: 'hunter2\n  x: hunter2\n",
		"passwd: @hunter2\n", "passwd: !hunter2 hunter2 hunter2: a\n", "passwd: |hunter2\n", "passwd: >9hunter2\n hunter2\n", "%hunter2\n", "passwd: hunter2: hunter2\n",
		"passwd: \"\\xhunter2\"\n", "passwd: \"\\hunter2\"\n", "passwd: {hunter2\n", "passwd: |\n  hunter2\n hunter2\n", "passwd hunter2\nx: &hunter2 *hunter2\n",
		"passwd: &hunter2 [*hunter2]\n", "passwd: hunter2\n---\nhunter2\n", "passwd: !<hunter2 x\n", "passwd: !hunter2!x y\n", "passwd: hunter2\n\x00", "passwd: hunter2\x07\n",
		"passwd: \"hunter2\" hunter2\n", "\thunter2\n", "- hunter2\npasswd: hunter2\n", "passwd: [[ .hunter ]] hunter2\n", "passwd: [[ default \"hunter2\" ]]\n",
		"passwd: [[ .pw | dflt \"hunter2\" ]]\n", "passwd: [[ range .pw ]]hunter2[[ end ]]\n", "passwd: [[ if .pw ]]hunter2\n", "passwd: [[ fail .pw ]]\n",
		"passwd: [[ index .pw \"hunter2\" ]]\n", "passwd: [[ .pw.x ]]\n", "passwd: [[ call .pw ]]\n", "passwd: [[ slice .pw 100 ]]\n", "passwd: [[ template \"hunter2\" ]]\n",
		"passwd: [[ lt .pw 1 ]]\n", "passwd: [[ mustFromJson .pw ]]\n", "passwd: [[ set . \"a\" .pw | print ]] \"\n", "passwd: \"[[ .pw ]]\"hunter2\"\n", "hunter2 [[ .pw ]]: {\n",
	} {
		var errs []string
		note := func(err error) {
			if err != nil {
				errs = append(errs, err.Error())
			}
		}
		var v cloudconfig.Values
		require.NoError(t, v.Set("pw="+secret))
		d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\n" + text))
		note(err)
		if err == nil {
			d, err = d.Render(&v)
			note(err)
		}
		if err == nil {
			warnings, err := d.Validate()
			note(err)
			for _, w := range warnings {
				errs = append(errs, w.String())
			}
		}
		assert.NotEmpty(t, errs, text)
		assert.NotContains(t, strings.Join(errs, "\n"), secret, text)
	}
}
