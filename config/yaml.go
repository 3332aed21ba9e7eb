package config

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML turns YAML into a tree, or returns nil where it is not YAML.
func parseYAML(file string, data []byte, r *report) (root *node) {
	start := place{file: file, line: 1, column: 1}
	// The parser is somebody else's, and a file is anybody's.
	defer func() {
		if p := recover(); p != nil {
			r.add("", start, "the file is not YAML that can be read; write it in plain block form")
			root = nil
		}
	}()
	if line := blankRun(data); line > 0 {
		r.add("", place{file, line, 1}, "more than %d blank lines end here; take them away", maxBlankLines)
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if at, why := tooMuch(tokens); why != "" {
		r.add("", place{file, at.Line, at.Column}, "%s", why)
		return nil
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, why := start, err.Error()
		var located yaml.Error
		if errors.As(err, &located) {
			why = located.GetMessage()
			if t := located.GetToken(); t != nil && t.Position != nil {
				at = place{file, t.Position.Line, t.Position.Column}
			}
		}
		r.add("", at, "this is not YAML: %s%s", clip(strings.ReplaceAll(why, "\t", `\t`)), syntaxHint(why, data, at.line))
		return nil
	}
	y := yamlTree{file: file, report: r, anchors: map[string]*node{}}
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			r.add("", y.placeOf(doc.Body), "a second document begins here; a file has one: take the --- away")
			break
		}
		root = y.build(doc.Body, "")
	}
	if root == nil {
		root = &node{at: start, size: 1}
	}
	return root
}

// Bounds that keep the scanner and the parser, which take quadratic time over
// some things, within seconds.
const (
	maxTokens     = 100_000
	maxBlankLines = 500 // in a row
)

// blankRun returns the line at which too many blank lines end, or 0.
func blankRun(data []byte) int {
	line, blank := 1, 0
	for i, c := range data {
		switch c {
		case '\n', '\r':
			if c == '\r' && i+1 < len(data) && data[i+1] == '\n' {
				continue
			}
			line++
			blank++
		case ' ', '\t':
		default:
			blank = 0
		}
		if blank > maxBlankLines+1 {
			return line
		}
	}
	return 0
}

// tooMuch returns the first token that is too deep or one too many, and why.
func tooMuch(tokens token.Tokens) (at token.Position, why string) {
	flow, dashes, line := 0, 0, 0
	for i, t := range tokens {
		if t.Position == nil {
			continue
		}
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			dashes++
		}
		if flow > maxDepth || dashes > maxDepth {
			return *t.Position, "the values are nested too deeply here; write them flatter"
		}
		if i > maxTokens {
			return *t.Position, "the file holds more words and marks than can be read as YAML; split it, or write it as JSON"
		}
	}
	return token.Position{}, ""
}

// A yamlTree builds a tree out of the parser's.
type yamlTree struct {
	file    string
	report  *report
	anchors map[string]*node // those whose value is complete
}

func (y *yamlTree) placeOf(n ast.Node) place {
	switch v := n.(type) {
	case *ast.MappingNode:
		// The token of a block mapping is its first colon.
		if !v.IsFlowStyle && len(v.Values) > 0 {
			return y.placeOf(v.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return y.placeOf(v.Key)
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return place{file: y.file, line: 1, column: 1}
	}
	p := n.GetToken().Position
	return place{y.file, p.Line, p.Column}
}

// build never returns nil: what it refuses becomes null.
func (y *yamlTree) build(n ast.Node, pointer string) *node {
	out := &node{at: y.placeOf(n)}
	switch v := n.(type) {
	case nil, *ast.NullNode:
	case *ast.BoolNode:
		out.kind, out.text = boolean, strings.ToLower(v.Token.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = numberKind(n.GetToken().Value), n.GetToken().Value
	case *ast.StringNode:
		out.kind, out.text = text, v.Value
		// The parser takes a number that no machine word holds for text.
		quoted := v.Token.Type == token.SingleQuoteType || v.Token.Type == token.DoubleQuoteType
		if !quoted && numberKind(v.Value) == number {
			out.kind = number
		}
	case *ast.LiteralNode:
		out.kind, out.text = text, v.Value.Value
	case *ast.MappingNode:
		y.buildMapping(out, v.Values, pointer)
	case *ast.MappingValueNode:
		y.buildMapping(out, []*ast.MappingValueNode{v}, pointer)
	case *ast.SequenceNode:
		out.kind = list
		for i, item := range v.Values {
			out.items = append(out.items, y.build(item, belowItem(pointer, i)))
		}
	case *ast.AnchorNode:
		built := y.build(v.Value, pointer)
		if name := v.Name; name != nil && name.GetToken() != nil {
			y.anchors[name.GetToken().Value] = built
		}
		return built
	case *ast.AliasNode:
		return y.alias(v, pointer, out)
	case *ast.TagNode:
		return y.buildTagged(v, pointer)
	default:
		y.report.add(pointer, out.at, "this has no meaning here; write text, a number, true, false, a list or a mapping")
	}
	out.measure()
	return out
}

func (y *yamlTree) alias(v *ast.AliasNode, pointer string, out *node) *node {
	out.measure()
	if v.Value == nil || v.Value.GetToken() == nil {
		return out
	}
	name := v.Value.GetToken().Value
	if target := y.anchors[name]; target != nil {
		return target
	}
	y.report.add(pointer, out.at, "the alias *%s names nothing that was written before it; mark that with &%s", clip(name), clip(name))
	return out
}

func (y *yamlTree) buildTagged(v *ast.TagNode, pointer string) *node {
	built := y.build(v.Value, pointer)
	switch v.Start.Value {
	case "!!str":
		if built.kind != list && built.kind != mapping {
			as := *built
			as.kind = text
			return &as
		}
	case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
	default:
		y.report.note(pointer, y.placeOf(v), "the tag %s is not known; take it away", clip(v.Start.Value))
	}
	return built
}

// buildMapping reads the entries of a mapping; what a merge key brings in comes
// last and gives way to what is written.
func (y *yamlTree) buildMapping(out *node, values []*ast.MappingValueNode, pointer string) {
	out.kind = mapping
	first := map[string]place{}
	var merged []*node
	for _, entry := range values {
		at := y.placeOf(entry.Key)
		if entry.Key.IsMergeKey() {
			merged = append(merged, y.mergeSources(entry, pointer)...)
			continue
		}
		key, ok := keyText(entry.Key)
		if !ok {
			y.report.note(pointer, at, "a key must be plain text, as in name: value")
			continue
		}
		value := y.build(entry.Value, below(pointer, key))
		if before, twice := first[key]; twice {
			y.report.note(below(pointer, key), at, "the key %q is written twice (first on line %d); keep one", clip(key), before.line)
			continue
		}
		first[key] = at
		out.fields = append(out.fields, field{key, at, value})
	}
	for _, source := range merged {
		for _, f := range source.fields {
			if _, written := first[f.key]; !written {
				first[f.key] = f.at
				out.fields = append(out.fields, f)
			}
		}
	}
}

// mergeSources returns the mappings that <<: names.
func (y *yamlTree) mergeSources(entry *ast.MappingValueNode, pointer string) []*node {
	value := y.build(entry.Value, below(pointer, "<<"))
	sources := []*node{value}
	if value.kind == list {
		sources = value.items
	}
	for _, s := range sources {
		if s.kind != mapping {
			if !y.report.follows(below(pointer, "<<")) {
				y.report.add(below(pointer, "<<"), y.placeOf(entry.Key), "<<: takes a mapping or a list of mappings, as in <<: *name")
			}
			return nil
		}
	}
	return sources
}

// keyText returns the text of a scalar key.
func keyText(key ast.MapKeyNode) (string, bool) {
	var n ast.Node = key
	if explicit, ok := n.(*ast.MappingKeyNode); ok {
		n = explicit.Value
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}
