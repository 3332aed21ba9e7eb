package alert

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/unwindhq/unwind/engine"
)

// slack speaks to an incoming webhook
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
type slack struct{}

type slackMessage struct {
	// Text is what notifications show.
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// slackMost is less than the 3000 characters that a text may have.
const slackMost = 2000

func (slack) say(n *engine.Notice) (*message, error) {
	state := ":red_circle: *Firing*"
	plain := "Firing: "
	if n.Ended {
		state, plain = ":white_check_mark: *Resolved*", "Resolved: "
	}
	m := slackMessage{
		Text: cut(escapeSlack(plain+summary(&n.Alert)), slackMost),
		Blocks: []slackBlock{
			{Type: "section", Text: &slackText{"mrkdwn", cut(state+" · *"+escapeSlack(title(n.Kind))+"*\n"+escapeSlack(n.Message), slackMost)}},
			{Type: "context", Elements: []slackText{
				{"mrkdwn", slackLink("Runbook", n.Runbook)},
				{"mrkdwn", slackLink("Look", n.Link)},
				{"mrkdwn", "since " + n.At.UTC().Format("2006-01-02 15:04:05Z")},
			}},
		},
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("marshalling it: %w", err)
	}
	return &message{body: body}, nil
}

// escapeSlack escapes what Slack reads as its own.
var escapeSlack = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace

func slackLink(words, to string) string {
	if isURL(to) {
		return "<" + strings.NewReplacer("|", "%7C", ">", "%3E").Replace(to) + "|" + words + ">"
	}
	return words + ": `" + escapeSlack(to) + "`"
}
