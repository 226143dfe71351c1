package cloudconfig_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/cloudconfig"
)

// values are what all templates below are rendered with.
var values = map[string]string{
	"a": "A", "b.c": "C", "no": "false", "yes": "true", "empty": "", "zero": "0123",
	"my-key.sub-key": "dashes", "secret": "hunter2", "count": "2",
}

// render renders a document whose body is text, and returns what becomes of it.
func render(t *testing.T, text string, opts ...cloudconfig.Option) (string, error) {
	t.Helper()
	const start = "#cloud-config\nx: |\n  "
	d, err := cloudconfig.Parse(strings.NewReader(start+text+"\n"), opts...)
	require.NoError(t, err)
	v, err := cloudconfig.NewValues(values)
	require.NoError(t, err)
	out, err := d.Render(v)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(out.Bytes()), start), "\n"), nil
}

func TestDocumentRender(t *testing.T) {
	t.Parallel()

	for _, test := range []struct{ text, want string }{
		// Both kinds of brackets, with blanks, tabs and trimming.
		{`[[.a]][[ .a ]][[[.a]]][[[ .a ]]][[	.a	]]`, `AAAAA`},
		{`< [[- .a -]] >< [[[- .a -]]] >`, `<A><A>`},
		{`[[ .b.c ]][[ $.b.c | print ]]`, `C[[ $.b.c | print ]]`},
		{`[[.my-key.sub-key]] [[ upper .my-key.sub-key ]] [[ index . "my-key" "sub-key" ]]`, `dashes DASHES dashes`},
		{`[[ print "a.b-c" ]] [[ print 'x' ]] [[ print "\".b-c" ]]`, `a.b-c 120 ".b-c`},
		// Functions.
		{`[[ .a | lower | repeat 3 ]] [[ quote .a ]] [[ .secret | sha256sum | trunc 4 ]] [[ b64enc .a ]]`, `aaa "A" f52f QQ==`},
		{`[[ int .zero ]] [[ add 1 .count ]] [[ printf "%s-%03d" .yes 7 ]] [[ len .a ]]`, `83 3 true-007 1`},
		{`[[ keys . | join "," ]] [[ values .b | join "," ]]`, `a,b,count,empty,my-key,no,secret,yes,zero C`},
		{`[[ printf "%s%s%s%s%s%s" .b.c .b.c .b.c .b.c .b.c (repeat 1000 .b.c) | len ]] [[ regexReplaceAll "[b-z]{1,200}" (repeat 5000 "a") "x" | len ]]`, `1005 5000`},
		{`[[ replace "a" "" (repeat 50000 "a") | len ]] [[ wrapWith 80 "\n" (repeat 50000 "a") | len ]] [[ until 1000 | join "," | len ]]`, `0 50624 3889`},
		{`[[ print (.b).c (dict "x" 1).x (semver "1.2.3").Minor ]] [[ empty .no ]] [[ empty (list) ]] [[ round 1.25 1 ]] [[ eq 1.5 1.5 ]]`, `C1 2 false true 1.3 true`},
		{`[[ toJson .secret ]] [[ ternary "x" "y" .no ]] [[ ternary "x" "y" true ]]`, `"hunter2" y x`},
		{`[[ print .yes ]] [[ upper .yes ]] [[ list 1 .a ]] [[ print true 1 nil ]]`, `true TRUE [1 A] true 1 <nil>`},
		// Optional values.
		{`[[ default "d" .not ]] [[ .not.there | default "d" ]] [[ default "d" .a ]] [[ .no | default "true" ]]`, `d d A false`},
		{`[[ default "d" .empty ]] [[ default .a .not ]] [[ coalesce .not .empty .a ]] [[ if empty .not ]]e[[ end ]]`, `d A A e`},
		{`[[ upper (default "d" .not) ]] [[ default "d" (.not) ]]`, `D d`},
		// Conditions.
		{`[[ if .no ]]1[[ else ]]2[[ end ]] [[ if .yes ]]1[[ end ]] [[ if not .no ]]1[[ end ]] [[ if .no | not ]]1[[ end ]]`, `2 1 1 1`},
		{`[[ if and .yes .no ]]1[[ else if or .no .yes ]]2[[ end ]] [[ if .yes | and .no ]]1[[ else ]]2[[ end ]]`, `2 2`},
		{`[[ if eq .no false ]]1[[ end ]][[ if eq .no "false" ]]1[[ end ]][[ if eq true .yes ]]1[[ end ]][[ if ne .yes false ]]1[[ end ]]`, `1111`},
		{`[[ if default "false" .not ]]1[[ else ]]2[[ end ]] [[ if default false .not ]]1[[ else ]]2[[ end ]]`, `2 2`},
		{`[[ if eq (int .count) 2 ]]1[[ end ]][[ if eq .a "B" "A" ]]1[[ end ]][[ if gt (int .count) 1 ]]1[[ end ]]`, `111`},
		{`[[ with .no ]]1[[ else ]]2[[ end ]] [[ with .b ]][[ .c ]][[ end ]] [[ any .no .yes ]] [[ all .no .yes ]]`, `2 C true false`},
		{`[[ or .no .a ]] [[ and .yes .a ]] [[ if and .no .not ]]1[[ end ]]`, `A A `},
		// Blocks.
		{`[[ range $i, $v := list "x" "y" ]][[ print $i $v ]][[ if eq $v "x" ]][[ continue ]][[ end ]].[[ break ]][[ end ]]`, `0x1y.`},
		{`[[ define "t" ]]<[[ print . ]]>[[ end ]][[ template "t" .a ]]`, `<A>`},
		{"a [[ if .yes -]]\n  b\n  [[- end ]] c", "a b c"},
	} {
		got, err := render(t, test.text)
		if assert.NoError(t, err, test.text) {
			assert.Equal(t, test.want, got, test.text)
		}
	}
}

// TestDocumentRenderAmbiguous holds the table of the package's documentation.
func TestDocumentRenderAmbiguous(t *testing.T) {
	t.Parallel()

	for _, test := range []struct{ text, want string }{
		{`[[.a]] [[ .a ]] [[[.a]]]`, `A A A`},
		{`groups: [[[.a]]]`, `groups: A`},
		{`groups: [ [[.a]] ]`, `groups: [ A ]`},
		{`[[[.a]], [[.b.c]]]`, `[A, C]`},
		{`[[[[.a]]]]`, `[A]`},
		{`[[ default "]]" .not ]]`, `]]`},
		{`[[ .my-key.sub-key ]]`, `dashes`},
		{`[[ upper .a ]]`, `A`},
	} {
		got, err := render(t, test.text)
		require.NoError(t, err, test.text)
		assert.Equal(t, test.want, got, test.text)
	}
	for _, text := range []string{
		`if [[ -f x ]]; then`, `[[ $x == y ]]`, `[[ ! -e x ]]`, `[[ "$x" =~ ^[[:alpha:]]+$ ]]`, `[[ ( -n a ) ]]`,
		`[[ .a == x ]]`, `[[ .a =~ x ]]`, `[[-.a]]`, `[[ .a`, "[[ .a\n  ]]", `[[ . ]]`, `[[.]]`, `[[ .5 ]]`,
		`[[1,2],[3]]`, `[[a, b]]`, `[[list]]`, `[[ first ]]`, `[[end, if]]`, `[[inputs.cpu]]`, `[[[a]]]`, `[[]]`, `[[ ]]`,
		`[[ $x ]]`, `[[ (.a) ]]`, `[[ "a" ]]`, `[[/* a */]]`, `[[ env "HOME" ]]`, `[[ uper .a ]]`, `[[ upper .a | lowr ]]`,
		`{{ trunc 4 .MachineID }}`, `{{ .a }}`, `[ [.a] ]`, `[.a]`, "]]", "[[", "[[[", `[[ .a ] ]`,
	} {
		got, err := render(t, text+" [[.a]]")
		require.NoError(t, err, text)
		assert.Equal(t, text+" A", got)
	}
}

func TestDocumentRenderWhenItCannot(t *testing.T) {
	t.Parallel()

	const given = "given are a, b.c, count, empty, my-key.sub-key, no, secret, yes, zero"
	for _, test := range []struct{ text, want string }{
		{`[[ .not ]]`, `line 3, column 3: no value for not; ` + given},
		{`[[ .b.not ]]`, `line 3, column 3: no value for b.not; ` + given},
		{`[[ .not.there ]]`, `no value for not.there`},
		{`[[ .a ]] [[ .my-key.sub-kei ]]`, `line 3, column 12: no value for my-key.sub-kei`},
		{"hunter2\n\n    ä [[ upper .not ]]", `line 5, column 7: no value for not`},
		{`[[ if .not ]][[ end ]]`, `no value for not`},
		{`[[ with .not ]][[ end ]]`, `no value for not`},
		{`[[ range .not ]][[ end ]]`, `no value for not`},
		{`[[ .a | default .not ]]`, `no value for not`},
		{`[[ coalesce .not .nor ]]`, `no value for nor`},
		{`[[ if coalesce .not .nor ]][[ end ]]`, `no value for nor`},
		{`[[ coalesce .not .nor | upper ]]`, `no value for nor`},
		{`[[ default .not .nor ]]`, `no value for not`},
		{`[[ .not | upper | default "x" ]]`, `no value for not`},
		{`[[ .b ]]`, `a group of values cannot be printed`},
		{`[[ .a.b ]]`, `a has no values below it, but a.b asks for one`},
		{`[[ with .a ]][[ .b ]][[ end ]]`, `this has no values below it, but b asks for one`},
		{`[[ print (.b).not ]]`, `no value for not`},
		{`[[ print (dict "x" 1).y ]]`, `the values do not fit what the template does with them`},
		{`[[ upper nil ]]`, `function upper: argument 1 is nothing, want text`},
		{`[[ upper .b ]]`, `function upper: argument 1 is a group, want text`},
		{`[[ upper (list 1) ]]`, `function upper: argument 1 is a list, want text`},
		{`[[ dict .a | keys | upper ]]`, `function upper: argument 1 is a list, want text`},
		{`[[ trunc true .a ]]`, `function trunc: argument 1 is true or false, want a number`},
		{`[[ index .b "not" ]]`, `there is no value to print`},
		{`[[ .a | dflt "hunter2" ]]`, `function "dflt" not defined`},
		{`[[ .a | _field ]]`, `function "_field" not defined`},
		{`[[ if $y := .a ]][[ end ]][[ print $y ]]`, `undefined variable "$y"`},
		{`[[ if .a ]]`, `line 3, column 3: if has no end`},
		{`[[ end ]]`, `line 3, column 3: end without a block to end`},
		{`[[ else ]]`, `line 3, column 3: else without if, with or range`},
		{`[[ break ]]`, `break`},
		{`[[ template "t" ]]`, `the values do not fit what the template does with them`},
		{`[[ range .secret ]][[ end ]]`, `the values do not fit what the template does with them`},
		{`[[ lt "hunter2" 1 ]]`, `the values do not fit what the template does with them`},
		{`[[ trunc .secret "hunter2" ]]`, `function trunc: argument 1 is text, want a number`},
		{`[[ upper .a .secret ]]`, `function upper has 2 arguments, want 1`},
		{`[[ printf | upper ]]`, `function printf has 0 arguments, want 1`},
		{`[[ eq .b .b ]]`, `function eq cannot work with its arguments`},
		{`[[ div 1 0 ]]`, `function div cannot work with its arguments`},
		{`[[ mustRegexMatch "hunter2(" .secret ]]`, `function mustRegexMatch cannot work with its arguments`},
		{`[[ fail (print "bad: " .secret) ]]`, `line 3, column 3: bad: ***`},
	} {
		_, err := render(t, test.text)
		require.ErrorContains(t, err, test.want, test.text)
		require.ErrorContains(t, err, "cloudconfig: render: line ", test.text)
		assert.NotContains(t, err.Error(), "hunter2", test.text)
	}
	var missing *cloudconfig.MissingError
	_, err := render(t, `[[ .kairos.password ]]`)
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, "kairos.password", missing.Name)
	assert.Len(t, missing.Given, len(values))

	d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\na: [[.a]]\n"))
	require.NoError(t, err)
	_, err = d.Render(nil)
	require.EqualError(t, err, `cloudconfig: render: line 2, column 4: no value for a; nothing was given in "a: ***"`)
}

// TestDocumentRenderReadsNothing checks that no function is left that reads
// the host, the network, the clock or randomness: a call is plain text.
func TestDocumentRenderReadsNothing(t *testing.T) {
	t.Parallel()

	for _, name := range []string{
		"env", "expandenv", "getHostByName", "now", "date", "dateInZone", "date_in_zone", "dateModify", "date_modify",
		"htmlDate", "htmlDateInZone", "ago", "toDate", "mustToDate", "unixEpoch",
		"randAlpha", "randAlphaNum", "randAscii", "randNumeric", "randInt", "randBytes", "uuidv4", "shuffle",
		"bcrypt", "htpasswd", "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey",
		"genSignedCert", "genSignedCertWithKey", "encryptAES", "osBase", "osDir", "osExt", "osClean", "osIsAbs",
	} {
		text := `[[ ` + name + ` "a" ]]`
		got, err := render(t, text+"[[.a]]")
		require.NoError(t, err)
		assert.Equal(t, text+"A", got)
	}
}

func TestDocumentRenderIsBounded(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		`[[ range 1000000000000 ]][[ end ]]`,
		`[[ range until 10000 ]][[ range until 10000 ]][[ end ]][[ end ]]`,
		`[[ range until 1000000000 ]][[ end ]]`,
		`[[ range untilStep 0 9223372036854775806 9223372036854775807 ]][[ end ]]`,
		`[[ repeat 1000000000 "x" ]]`, `[[ indent 1000000000 "x" ]]`, `[[ seq 1 1000000000 ]]`,
		`[[ printf "%1000000d %[1]1000000d" 1 ]]`, `[[ printf "%*d" 1000000000 1 ]]`,
		`[[ replace "" (repeat 100000 "x") (repeat 100000 "x") ]]`,
		`[[ with $x := "xx" ]][[ range until 64 ]][[ with $x = print $x $x ]][[ end ]][[ end ]][[ end ]]`,
		`[[ with $x := list 1 ]][[ range until 64 ]][[ with $x = list $x $x ]][[ end ]][[ end ]][[ len $x ]][[ end ]]`,
		`[[ with set . "a" . ]][[ end ]]`,
		`[[ define "t" ]][[ template "t" ]][[ template "t" ]][[ end ]][[ template "t" ]]`,
		`[[ printf (repeat 1000 "%[1]s") (repeat 100000 "x") ]]`, `[[ regexReplaceAll "a" (repeat 10000 "a") (repeat 10000 "a") ]]`,
		`[[ join "x" (until 2000000) ]]`, strings.Repeat(`[[ if 1 ]]`, 101) + strings.Repeat(`[[ end ]]`, 101),
		`[[ range until 100 ]][[ derivePassword 1 "long" "a" "b" "c" ]][[ end ]]`,
		`[[ range until 1000 ]][[ repeat 2000 "x" ]][[ end ]]`,
	} {
		_, err := render(t, text, cloudconfig.WithMaxSize(1<<17)) // a smaller limit is reached sooner
		require.Error(t, err, text)
		assert.Regexp(t, "more work|beyond its size limit|do not fit|more than 100 blocks", err.Error(), text)
	}
}

func TestDocumentRenderWhenTheResultIsWrong(t *testing.T) {
	t.Parallel()

	for _, test := range []struct{ value, want string }{
		{`hunter2"`, `cloudconfig: render: line 2, column 9: in the result: found unexpected end of stream in "passwd: ***"`},
		{"a\x00", "cloudconfig: render: line 2, column 11: in the result: the document is binary"},
		{"a\"\nb: \"c", ""},
	} {
		d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\npasswd: \"[[.p]]\"\n"))
		require.NoError(t, err)
		v, err := cloudconfig.NewValues(map[string]string{"p": test.value})
		require.NoError(t, err)
		_, err = d.Render(v)
		if test.want == "" { // A value can break out of its quotes; toJson keeps it in.
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, test.want)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\na: 1 [[- print \"\" -]]\n"))
	require.NoError(t, err)
	_, err = d.Render(nil)
	require.NoError(t, err)
	d, err = cloudconfig.Parse(strings.NewReader("#cloud-config\n[[- .a ]]"))
	require.NoError(t, err)
	v, err := cloudconfig.NewValues(map[string]string{"a": "-archive"})
	require.NoError(t, err)
	_, err = d.Render(v)
	require.ErrorIs(t, err, cloudconfig.ErrNoHeader)
	d, err = cloudconfig.Parse(strings.NewReader("#cloud-config\n[[ if .no ]]\na: 1\n[[ end ]]"))
	require.NoError(t, err)
	assert.True(t, d.HasActions())
	_, err = d.Render(nil)
	require.ErrorContains(t, err, "no value for no")
}

// TestDocumentRenderKeepsBytes checks line ends and bytes that a careless
// renderer would change.
func TestDocumentRenderKeepsBytes(t *testing.T) {
	t.Parallel()

	const text = "#cloud-config\r\n\r\na: \"[[.a]]\\u00e4\" \t\r\nb: ä <&>\u00a0{{ .x }}\r\n# no end of line [[.a]]"
	v, err := cloudconfig.NewValues(map[string]string{"a": "<\r\n>"})
	require.NoError(t, err)
	d, err := cloudconfig.Parse(strings.NewReader(text))
	require.NoError(t, err)
	_, err = d.Render(v)
	require.ErrorContains(t, err, "in the result", "the comment is broken in two")
	require.NoError(t, v.Set("a=<\t>"))
	out, err := d.Render(v)
	require.NoError(t, err)
	assert.Equal(t, strings.ReplaceAll(text, "[[.a]]", "<\t>"), string(out.Bytes()))
}

func TestDocumentRenderTwice(t *testing.T) {
	t.Parallel()

	d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\nx: [[ set . \"b\" \"[[ .a ]]\" | len ]] # [[.a]]\n"))
	require.NoError(t, err)
	v, err := cloudconfig.NewValues(map[string]string{"a": "[[.a]]"})
	require.NoError(t, err)
	for range 2 {
		out, err := d.Render(v)
		require.NoError(t, err)
		assert.Equal(t, "#cloud-config\nx: 2 # [[.a]]\n", string(out.Bytes()), "values are not rendered")
		again, err := out.Render(nil)
		require.NoError(t, err)
		assert.Equal(t, out.Bytes(), again.Bytes())
	}
}
