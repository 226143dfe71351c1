package cloudconfig_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/cloudconfig"
)

// A template is loaded, filled in, checked and written.
func Example() {
	files := fstest.MapFS{"config.yaml": {Data: []byte(`#cloud-config
install:
  auto: true
users:
- name: kairos
  passwd: "[[.kairos.password]]"
  ssh_authorized_keys:
  - github:[[.github.user]]
stages:
  boot:
  - commands:
    - if [[ -f /etc/motd ]]; then cat /etc/motd; fi
`)}}
	var values cloudconfig.Values
	for _, pair := range []string{"kairos.password=foobar", "github.user=mudler"} {
		if err := values.Set(pair); err != nil {
			fmt.Println(err)
			return
		}
	}

	d, err := cloudconfig.Load(context.Background(), "config.yaml", cloudconfig.WithFS(files))
	if err != nil {
		fmt.Println(err)
		return
	}
	if d, err = d.Render(&values); err != nil {
		fmt.Println(err)
		return
	}
	warnings, err := d.Validate()
	fmt.Println(len(warnings), "warnings, error:", err)
	if _, err := d.WriteTo(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 0 warnings, error: <nil>
	// #cloud-config
	// install:
	//   auto: true
	// users:
	// - name: kairos
	//   passwd: "foobar"
	//   ssh_authorized_keys:
	//   - github:mudler
	// stages:
	//   boot:
	//   - commands:
	//     - if [[ -f /etc/motd ]]; then cat /etc/motd; fi
}

// The location "-" is whatever the program calls its standard input.
func ExampleLoad() {
	stdin := strings.NewReader("#cloud-config\npasswd: \"hunter2\n")
	_, err := cloudconfig.Load(context.Background(), "-", cloudconfig.WithStdin(stdin))
	fmt.Println(err)
	// Output: cloudconfig: parse -: line 2, column 9: found unexpected end of stream in "passwd: ***"
}

func ExampleParse() {
	d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\nhostname: [[.name]]\n"))
	fmt.Println(err, d.HasActions())
	// Output: <nil> true
}

func ExampleDocument_Render() {
	d, err := cloudconfig.Parse(strings.NewReader(`#cloud-config
hostname: [[ .name | lower ]]
timezone: [[ default "UTC" .zone ]]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, dotted := range []map[string]string{{"name": "NODE-1"}, {"nane": "NODE-1"}} {
		values, err := cloudconfig.NewValues(dotted)
		if err != nil {
			fmt.Println(err)
			return
		}
		out, err := d.Render(values)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(string(out.Bytes()))
	}
	// Output:
	// #cloud-config
	// hostname: node-1
	// timezone: UTC
	// cloudconfig: render: line 2, column 11: no value for name; given are nane in "hostname: ***"
}

func ExampleDocument_Validate() {
	d, err := cloudconfig.Parse(strings.NewReader(`#cloud-config
users:
- name: kairos
  passwd: 0123
  ssh_authorized_keys:
  - github: mudler
stages:
  boot:
  - comands: [reboot]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	warnings, err := d.Validate()
	fmt.Println(err)
	for _, w := range warnings {
		fmt.Println("warning:", w)
	}
	// Output:
	// cloudconfig: validate: line 6, column 5: users[0].ssh_authorized_keys[0] is a mapping, as a colon makes it without quotes, want a text
	// warning: line 4, column 11: users[0].passwd is a number for YAML, not a text; put it in quotes
	// warning: line 9, column 5: stages.boot[0].comands is not a known key; is commands meant?
}

// Values are a flag that can be given more than once.
func ExampleValues_Set() {
	var values cloudconfig.Values
	fmt.Println(values.Set(`motd=1 + 1 = \(1+1), "quoted"`))
	fmt.Println(values.Set("motd.text=x"))
	fmt.Println(values.Names())
	// Output:
	// <nil>
	// cloudconfig: motd and motd.text exclude one another: one cannot be both a value and a group
	// [motd]
}
