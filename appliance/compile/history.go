package compile

import (
	"vernemq/appliance/plan"
)

// history tells the plan every assignment of every key, in the order of precedence.
func (c *compilation) history() {
	for _, s := range c.settings {
		winner := c.won[s.name]
		step := s.step()
		switch {
		case winner == s:
			step.Won = true
		case s.beside != nil:
			step.Why, step.By = s.beside.name+" is set too, and the older name gives way", s.beside.KeyPos
		case s.err == errTold:
			step.Why = "its value refers to one that is not accepted"
		case s.err != nil:
			step.Why = s.err.Message
		default:
			step.Why, step.By = overridden(s, winner), winner.KeyPos
		}
		c.plan.AddStep(s.name, step)
	}
	for _, s := range c.idle {
		step := s.step()
		step.Why = s.key.Hint
		if step.Why == "" {
			step.Why = "the key has no effect here"
		}
		c.plan.AddStep(s.name, step)
	}
}

// overridden says why one assignment loses against another.
func overridden(loser, winner *setting) string {
	if loser.layer == winner.layer {
		return "a later line wins"
	}
	return "the layer " + winner.layer.String() + " is above the layer " + loser.layer.String()
}

// step is s as a part of the history of its key.
func (s *setting) step() plan.Step {
	step := plan.Step{Layer: s.layer, Name: s.Name(), Pos: s.KeyPos, Text: s.Value}
	if s.err == nil && s.value != nil {
		step.Value = s.key.Format(s.value)
	}
	if s.hidden() {
		if step.Value != "" {
			step.Value = asterisks
		}
		if step.Text != "" && !isReference(step.Text) {
			step.Text = asterisks
		}
	}
	return step
}

// hidden reports whether the value of s must not be shown.
func (s *setting) hidden() bool { return s.key.Secret || s.secret }
