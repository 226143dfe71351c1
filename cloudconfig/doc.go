// Package cloudconfig loads, renders and checks cloud-config documents, which
// tell a machine at its first boot what to become.
//
//	d, err := cloudconfig.Load(ctx, "config.yaml")   // a file, a URL or "-"
//	d, err = d.Render(values)                        // fills in [[ .kairos.password ]]
//	warnings, err := d.Validate()                    // what cloud-init and Kairos would not take
//	_, err = d.WriteTo(w)
//
//	limit       unit      range            default  option
//	size        bytes     1..64 Mi         1 Mi     WithMaxSize
//	loading     duration  more than 0      30s      WithTimeout
//	rendering   work      16 × size limit  16 Mi    WithMaxSize
//
// # Documents
//
// A document is UTF-8, and its first line is #cloud-config. As cloud-init has
// it, letters may be of either case, blank lines may come before, words may
// follow, and "## template: jinja" may stand above; Kairos wants the line
// exactly so, which is a warning of [Document.Validate]. A byte order mark is
// refused, since cloud-init does not see the line behind it. The rest is one
// YAML document. Where a document holds actions it is checked for YAML after
// rendering, and one of Jinja not at all: the machine renders it first.
//
// # Templates
//
// An action is [[ … ]] or [[[ … ]]] on one line. After the opening brackets
// come blanks or "- ", and then one of
//
//   - a name with its dot, such as .github.user or .my-key,
//   - a keyword of package text/template: if, else, end, range, with, define,
//     template, block, break, continue,
//   - a function and an argument of it,
//
// and the rest parses as text/template has it. Everything else is text and
// stays as it is, byte by byte. With the values a=A, b.c=C and
// my-key.sub-key=dashes:
//
//	text                          is           why
//	[[.a]]  [[ .a ]]  [[[.a]]]    A            a name
//	[[- .a -]]                    A            also drops the blanks around it
//	[[ .my-key.sub-key ]]         dashes       names may have dashes
//	[[ upper .a ]]                A            a function
//	[[ default "]]" .not ]]       ]]           brackets in quotes do not close
//	[[[.a]]]                      A            three brackets come first: no list
//	[ [[.a]] ]                    [ A ]        with blanks it is a list
//	[[[.a]], [[.b.c]]]            [A, C]       three do not parse here, two do
//	[[[[.a]]]]                    [A]          the first bracket is text
//	[[ .a                         as it is     not closed on its line
//	[[-.a]]                       as it is     no blank after the dash
//	[[ . ]]  [[ $x ]]  [[ (.a) ]] as it is     start with no name: use [[ print . ]]
//	[[ -f x ]]  [[ $x == y ]]     as it is     tests of bash
//	[[ .a == x ]]                 as it is     a test of bash: does not parse
//	[[:space:]]                   as it is     a class of characters
//	[[1,2],[3]]  [[a, b]]         as it is     lists of YAML
//	[[list]]  [[inputs.cpu]]      as it is     tables of TOML: no argument
//	[[ uper .a ]]                 as it is     no such function; Validate warns
//	[[ .a | lowr ]]               an error     no such function behind a name
//	[[ end ]]                     an error     without a block to end
//	{{ trunc 4 .MachineID }}      as it is     the machine renders it
//
// A name that was not given is an error with a [*MissingError], in conditions
// too. The functions default, coalesce and empty take one that is missing. A
// value is a text and is printed as it was given, without quotes: in a document
// where any password will do, write [[ toJson .password ]]. In a condition,
// "false" is false, and so are "", 0, and an empty list; eq and ne take "true"
// and true for the same. False, given, is not replaced by default.
//
// The functions are those of text/template (but call) and of
// github.com/Masterminds/sprig/v3, without all that reads the environment, the
// clock, the time zone, the network, or random numbers, or that splits paths
// as the host does. The functions keys and values sort. The same document and values always give the same bytes.
//
// # Errors
//
// Faults are an [*Error] with the line and the column, or a [*ValidationError]
// that has all of them. No error, and no [Document] or [Values] that is
// printed or logged, shows any value: a line is shown with its values masked,
// keys below passwords and keys of SSH are masked as well, and an error of a
// function is replaced by its name. Names of values and keys are shown.
//
// # Concurrency
//
// Documents never change and may be used concurrently. Nothing is written or
// logged. If Load gives up on a file or on the standard input, reading goes on
// until the system call returns: a pipe cannot be interrupted.
//
// # Limits
//
// Rendering is bounded by work and not by time, so that it does not depend on
// the machine: bytes written, rounds of loops and bytes passed to functions.
// An action has at most 4096 bytes, and blocks nest at most 100 deep.
// Aliases of YAML are followed to a million nodes. What is checked is the
// shape of well-known keys: whether a device exists or a password is strong
// is not. Documents that are compressed, or of MIME parts, are not supported;
// neither is #include.
package cloudconfig
