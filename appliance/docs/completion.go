package docs

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Shells are the shells that Completion knows.
var Shells = []string{"bash", "zsh", "fish"}

// node is a place in a command line: what has been typed, and the words that may follow.
type node struct {
	path string // such as "vernemq config"
	next []Option
}

// nodes returns the places of all programs, each once, parents first.
func nodes(programs []Program) (out []*node) {
	byPath := map[string]*node{}
	at := func(path string) *node {
		if byPath[path] == nil {
			byPath[path] = &node{path: path}
			out = append(out, byPath[path])
		}
		return byPath[path]
	}
	for i := range programs {
		p := &programs[i]
		for j := range p.Commands {
			c, path := &p.Commands[j], p.Name
			words := strings.Fields(c.Words)
			for k, word := range words {
				parent, doc := at(path), ""
				if k == len(words)-1 {
					doc, _, _ = strings.Cut(c.Doc, "\n")
				}
				parent.add(Option{word, doc})
				path += " " + word
			}
			here := at(path)
			for _, f := range c.flags() {
				here.add(f)
			}
		}
		for _, o := range p.Options {
			for _, f := range (&Command{Options: []Option{o}}).flags() {
				at(p.Name).add(f)
			}
		}
	}
	return out
}

// add adds a word; of two that are the same, the one that is explained stays.
func (n *node) add(o Option) {
	for i := range n.next {
		if n.next[i].Form == o.Form {
			if n.next[i].Doc == "" {
				n.next[i].Doc = o.Doc
			}
			return
		}
	}
	n.next = append(n.next, o)
}

// Completion writes a script that completes the words of the programs in a shell, which is one of Shells. All programs share the one script.
// Where no word fits, the shell completes file names.
func Completion(w io.Writer, shell string, programs []Program) error {
	b := bufio.NewWriter(w)
	var names []string
	for _, p := range programs {
		names = append(names, p.Name)
	}
	all := nodes(programs)
	switch shell {
	case "bash":
		bash(b, names, all)
	case "zsh":
		zsh(b, names, all)
	case "fish":
		fish(b, names, all)
	default:
		return fmt.Errorf("no completion for %q: want one of %s", shell, strings.Join(Shells, ", "))
	}
	return b.Flush()
}

func bash(b *bufio.Writer, names []string, all []*node) {
	fmt.Fprintf(b, "# Completion of %s for bash.\n\n_vernemq_next() {\n\tcase $1 in\n", strings.Join(names, ", "))
	for _, n := range all {
		var words []string
		for _, o := range n.next {
			words = append(words, o.Form)
		}
		fmt.Fprintf(b, "\t%s) next=%s ;;\n", quote(n.path), quote(strings.Join(words, " ")))
	}
	fmt.Fprint(b, `	*) return 1 ;;
	esac
}

_vernemq() {
	local next= path=${COMP_WORDS[0]##*/} cur=${COMP_WORDS[COMP_CWORD]} i
	for ((i = 1; i < COMP_CWORD; i++)); do
		! _vernemq_next "$path ${COMP_WORDS[i]}" || path="$path ${COMP_WORDS[i]}"
	done
	_vernemq_next "$path"
	mapfile -t COMPREPLY < <(compgen -W "$next" -- "$cur")
	[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}

`)
	fmt.Fprintf(b, "complete -o default -F _vernemq %s\n", strings.Join(names, " "))
}

func zsh(b *bufio.Writer, names []string, all []*node) {
	fmt.Fprintf(b, "#compdef %s\n# Completion of %s for zsh.\n\n_vernemq_next() {\n\tcase $1 in\n", strings.Join(names, " "), strings.Join(names, ", "))
	for _, n := range all {
		fmt.Fprintf(b, "\t%s) next=(", quote(n.path))
		for _, o := range n.next {
			fmt.Fprintf(b, " %s", quote(strings.ReplaceAll(o.Form, ":", `\:`)+":"+o.Doc))
		}
		fmt.Fprint(b, " ) ;;\n")
	}
	fmt.Fprint(b, `	*) return 1 ;;
	esac
}

_vernemq() {
	local -a next
	local where=${words[1]:t} i
	for ((i = 2; i < CURRENT; i++)); do
		_vernemq_next "$where ${words[i]}" && where="$where ${words[i]}"
	done
	next=()
	_vernemq_next "$where"
	local -a commands=(${next:#-*}) flags=(${(M)next:#-*}) open
	local none=1
	open=(${(M)commands:#*=:*}) commands=(${commands:#*=:*})
	(( ! $#commands )) || { _describe 'command' commands && none=0 }
	(( ! $#open )) || { _describe 'argument' open -S '' && none=0 }
	if [[ $PREFIX == -* ]]; then
		open=(${(M)flags:#*=:*}) flags=(${flags:#*=:*})
		(( ! $#flags )) || { _describe -o 'flag' flags && none=0 }
		(( ! $#open )) || { _describe -o 'flag' open -S '' && none=0 }
	fi
	(( ! none )) || _files
}

_vernemq "$@"
`)
}

func fish(b *bufio.Writer, names []string, all []*node) {
	fmt.Fprintf(b, "# Completion of %s for fish.\n\nfunction __vernemq_next\n\tswitch $argv[1]\n", strings.Join(names, ", "))
	for _, n := range all {
		fmt.Fprintf(b, "\tcase %s\n", quoteFish(n.path))
		for _, o := range n.next {
			fmt.Fprintf(b, "\t\techo %s\n", quoteFish(o.Form+"\t"+o.Doc))
		}
	}
	fmt.Fprint(b, `	case '*'
		return 1
	end
end

function __vernemq_words
	set -l typed (commandline -opc)
	set -l path (path basename $typed[1])
	for word in $typed[2..]
		__vernemq_next "$path $word" >/dev/null; and set path "$path $word"
	end
	set -l found (__vernemq_next $path)
	string join \n -- $found
	string match -qv -- '-*' $found; or __fish_complete_path (commandline -ct)
end

`)
	for _, name := range names {
		fmt.Fprintf(b, "complete -c %s -f -a '(__vernemq_words)'\n", name)
	}
}

// quote makes a word of a POSIX shell out of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// quoteFish makes a word of fish, where a backslash counts between single quotes too.
func quoteFish(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
