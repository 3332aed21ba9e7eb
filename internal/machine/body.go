package machine

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
)

// Facts are what a saga knows that never changes once it is there: its names,
// its input, and the outputs of its actions.
type Facts struct {
	ID, Key, Tenant string
	Input           json.RawMessage
	Outputs         []json.RawMessage // by step; nil: none (yet), or null
}

// Key is the idempotency key of one direction of a step: the same on every
// attempt, node and replay.
func Key(saga, step string, dir unwind.Direction, generation uint32) string {
	key := saga + "/" + step + "/" + string(dir)
	if generation > 0 {
		key += "/" + strconv.FormatUint(uint64(generation), 10)
	}
	return key
}

// Body is the frozen JSON body of a call: a function of the durable facts alone,
// so that every attempt, node and restart sends the same bytes. Input and outputs
// are passed through untouched.
func Body(p *Plan, f *Facts, s *State, step int, dir unwind.Direction) json.RawMessage {
	call := p.Call(step, dir).Call
	if call != nil && len(call.Body) > 0 {
		return renderTemplate(p, f, step, dir, call.Body)
	}
	b := make([]byte, 0, 192+len(f.Input))
	b = append(b, `{"saga":{"id":`...)
	b = AppendJSONString(b, f.ID)
	b = append(b, `,"name":`...)
	b = AppendJSONString(b, p.Name)
	b = append(b, `,"key":`...)
	b = AppendJSONString(b, f.Key)
	if planted.On(planted.ChangingBody) {
		b = strconv.AppendUint(append(b, `,"attempt":`...), uint64(s.Side(step, dir).Attempts), 10)
	}
	b = append(b, `},"input":`...)
	b = appendRaw(b, f.Input)
	if dir == unwind.Compensation {
		b = append(b, `,"output":`...)
		b = appendRaw(b, f.Outputs[step])
		b = append(b, `,"may_have_executed":`...)
		if s.MayHaveExecuted(step) && !planted.On(planted.HideUncertain) {
			b = append(b, "true"...)
		} else {
			b = append(b, "false"...)
		}
		return append(b, '}')
	}
	b = append(b, `,"outputs":{`...)
	first := true
	for k := range p.Steps {
		if !p.Steps[step].Ancestors.Has(k) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = AppendJSONString(b, p.Steps[k].Name)
		b = append(b, ':')
		b = appendRaw(b, f.Outputs[k])
	}
	return append(b, "}}"...)
}

// renderTemplate copies a template and fills in its "${…}" strings. A string that
// is one reference becomes the value itself; one that holds more, or that names a
// member, becomes text.
func renderTemplate(p *Plan, f *Facts, step int, dir unwind.Direction, template json.RawMessage) json.RawMessage {
	out := make([]byte, 0, 2*len(template))
	for rest := template; ; {
		start := bytes.IndexByte(rest, '"')
		if start < 0 {
			return append(out, rest...)
		}
		end := start + 1
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(rest))
		out = append(out, rest[:start]...)
		quoted := rest[start:end]
		rest = rest[end:]
		isName := bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
		out = renderString(out, quoted, isName, func(path string) json.RawMessage { return f.lookup(p, step, dir, path) })
	}
}

func renderString(out, quoted []byte, isName bool, lookup func(path string) json.RawMessage) []byte {
	var text string
	if !bytes.Contains(quoted, []byte("${")) || json.Unmarshal(quoted, &text) != nil {
		return append(out, quoted...)
	}
	if !isName && strings.HasPrefix(text, "${") && strings.Index(text, "}") == len(text)-1 {
		return appendRaw(out, lookup(text[2:len(text)-1]))
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		b.WriteString(before)
		path, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			b.WriteString(text[len(before):])
			return AppendJSONString(out, b.String())
		}
		b.WriteString(plainText(lookup(path)))
		text = rest
	}
}

// lookup finds a value by a dotted path: input.…, outputs.step.…, saga.id|name|key.
func (f *Facts) lookup(p *Plan, step int, dir unwind.Direction, path string) json.RawMessage {
	root, rest, _ := strings.Cut(path, ".")
	switch root {
	case "input":
		return pick(f.Input, rest)
	case "outputs":
		// A step's name may itself hold dots: the longest name that fits wins.
		best := -1
		for k := range p.Steps {
			name := p.Steps[k].Name
			visible := p.Steps[step].Ancestors.Has(k) || dir == unwind.Compensation && k == step
			if visible && (rest == name || strings.HasPrefix(rest, name+".")) && (best < 0 || len(name) > len(p.Steps[best].Name)) {
				best = k
			}
		}
		if best >= 0 {
			return pick(f.Outputs[best], strings.TrimPrefix(strings.TrimPrefix(rest, p.Steps[best].Name), "."))
		}
	case "saga":
		switch rest {
		case "id":
			return AppendJSONString(nil, f.ID)
		case "name":
			return AppendJSONString(nil, p.Name)
		case "key":
			return AppendJSONString(nil, f.Key)
		}
	}
	return nil
}

// Amount is the money at risk as the definition's amount path finds it; nil
// where there is none.
func Amount(p *Plan, input json.RawMessage) json.RawMessage {
	_, path, ok := strings.Cut(p.Def.Amount, ".")
	if !ok {
		return nil
	}
	v := pick(input, path)
	if len(v) == 0 || v[0] != '-' && (v[0] < '0' || v[0] > '9') {
		return nil
	}
	return v
}
