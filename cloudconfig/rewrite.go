package cloudconfig

import (
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// The renderer changes a parsed template so that fields, conditions and
// printed values pass through functions of its own. Their names start with an
// underscore; documents cannot call them, as they are added after parsing.
const (
	fieldFunc    = "_field"    // a name that must have been given
	optionalFunc = "_optional" // a name that need not have been given
	truthFunc    = "_truth"    // makes "false" false
	outputFunc   = "_output"   // what is printed
)

// rewriteList rewrites all nodes of a block.
func rewriteList(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			rewritePipe(n.Pipe)
			if len(n.Pipe.Decl) == 0 {
				appendCommand(n.Pipe, outputFunc)
			}
		case *parse.IfNode:
			rewriteBranch(&n.BranchNode)
			appendCommand(n.Pipe, truthFunc)
		case *parse.WithNode:
			rewriteBranch(&n.BranchNode)
			appendCommand(n.Pipe, truthFunc)
		case *parse.RangeNode:
			rewriteBranch(&n.BranchNode)
		case *parse.TemplateNode:
			rewritePipe(n.Pipe)
		}
	}
	// See output: this makes every round of a loop count.
	start := &parse.TextNode{NodeType: parse.NodeText, Pos: list.Pos}
	list.Nodes = slices.Insert(list.Nodes, 0, parse.Node(start))
}

func rewriteBranch(n *parse.BranchNode) {
	rewritePipe(n.Pipe)
	rewriteList(n.List)
	rewriteList(n.ElseList)
}

func rewritePipe(pipe *parse.PipeNode) {
	if pipe == nil {
		return
	}
	var cmds []*parse.CommandNode
	for i, cmd := range pipe.Cmds {
		name := functionOf(cmd)
		for j, arg := range cmd.Args {
			optional := takesAbsent(name) && (j > 1 || name != "default")
			if i+1 < len(pipe.Cmds) && len(cmd.Args) == 1 {
				optional = takesAbsent(functionOf(pipe.Cmds[i+1]))
			}
			cmd.Args[j] = rewriteArg(arg, optional)
			if j > 0 && (name == "and" || name == "or") {
				cmd.Args[j] = pipeOf(newCommand(arg.Position(), truthFunc, cmd.Args[j]))
			}
		}
		if i > 0 && (name == "and" || name == "or") {
			cmds = append(cmds, newCommand(cmd.Pos, truthFunc))
		}
		cmds = append(cmds, cmd)
	}
	pipe.Cmds = cmds
}

// rewriteArg returns what takes the place of one argument.
func rewriteArg(arg parse.Node, optional bool) parse.Node {
	name := fieldFunc
	if optional {
		name = optionalFunc
	}
	switch n := arg.(type) {
	case *parse.FieldNode:
		return pipeOf(newCommand(n.Pos, name, append([]parse.Node{&parse.DotNode{NodeType: parse.NodeDot, Pos: n.Pos}}, texts(n.Pos, n.Ident)...)...))
	case *parse.VariableNode:
		if len(n.Ident) < 2 {
			return n
		}
		root := &parse.VariableNode{NodeType: parse.NodeVariable, Pos: n.Pos, Ident: n.Ident[:1]}
		return pipeOf(newCommand(n.Pos, name, append([]parse.Node{root}, texts(n.Pos, n.Ident[1:])...)...))
	case *parse.ChainNode:
		if inner, ok := n.Node.(*parse.PipeNode); ok && functionOf(inner.Cmds[len(inner.Cmds)-1]) != "" {
			n.Node = rewriteArg(n.Node, false) // What a function returns may have methods.
			return n
		}
		return pipeOf(newCommand(n.Pos, name, append([]parse.Node{rewriteArg(n.Node, false)}, texts(n.Pos, n.Field)...)...))
	case *parse.PipeNode:
		if optional && len(n.Cmds) == 1 && len(n.Cmds[0].Args) == 1 {
			n.Cmds[0].Args[0] = rewriteArg(n.Cmds[0].Args[0], true)
			return n
		}
		rewritePipe(n)
	}
	return arg
}

// functionOf returns the name of the function that cmd calls, or "".
func functionOf(cmd *parse.CommandNode) string {
	if ident, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		return ident.Ident
	}
	return ""
}

// takesAbsent reports whether the function name is for values that need not
// have been given.
func takesAbsent(name string) bool {
	return name == "default" || name == "coalesce" || name == "empty"
}

func appendCommand(pipe *parse.PipeNode, name string) {
	pipe.Cmds = append(pipe.Cmds, newCommand(pipe.Pos, name))
}

func newCommand(pos parse.Pos, name string, args ...parse.Node) *parse.CommandNode {
	ident := parse.NewIdentifier(name).SetPos(pos)
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: append([]parse.Node{ident}, args...)}
}

func pipeOf(cmd *parse.CommandNode) *parse.PipeNode {
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: cmd.Pos, Cmds: []*parse.CommandNode{cmd}}
}

func texts(pos parse.Pos, names []string) []parse.Node {
	var nodes []parse.Node
	for _, name := range names {
		name = strings.ReplaceAll(name, string(dash), "-")
		nodes = append(nodes, &parse.StringNode{NodeType: parse.NodeString, Pos: pos, Quoted: strconv.Quote(name), Text: name})
	}
	return nodes
}
