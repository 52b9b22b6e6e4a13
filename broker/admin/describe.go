package admin

// Options returns the form and the explanation of each argument and flag of the command, arguments first, as its help shows them. The options that
// all commands have are not among them; see GlobalOptions.
func (c *Command) Options() (out [][2]string) {
	if c.Settings {
		out = append(out, [2]string{"key=value ...", "Keys of the configuration and their new values."})
	}
	if c.Words != "" {
		out = append(out, [2]string{"[" + c.Words + " ...]", "Keys of the configuration."})
	}
	for _, a := range c.Args {
		out = append(out, [2]string{a.Name + "=" + a.Hint, a.Doc})
	}
	for _, f := range c.Flags {
		out = append(out, [2]string{f.form(), f.Doc})
	}
	return out
}

// GlobalOptions returns the form and the explanation of the options that every command has.
func GlobalOptions() [][2]string { return append([][2]string(nil), globalOptions...) }
