package trie

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/topic"
)

// who is a subscription in the model. Group is empty for a plain one.
type who struct {
	Filter, Group string
	Shard         int
	Slot          uint32
}

// model is the index as one would write it without a care for speed.
type model map[who]Entry

func (m model) match(name string) map[who]Entry {
	r := map[who]Entry{}
	for w, e := range m {
		if topic.Match(w.Filter, name) {
			r[w] = e
		}
	}
	return r
}

// content is what a leaf holds, without the filter, which it does not know.
func content(l *Leaf, shards int) map[who]Entry {
	r := map[who]Entry{}
	for k := range shards {
		v := l.View(k)
		n := 0
		for i := range v.Len() {
			if e := v.At(i); e != 0 {
				r[who{Shard: k, Slot: e.Slot()}] = e
				n++
			}
		}
		if got := l.Shards()>>k&1 == 1; got != (n > 0) {
			panic(fmt.Sprintf("shard %d: Shards says %v, the view has %d entries", k, got, n))
		}
	}
	if k, e, ok := l.Single(); ok && (len(r) != 1 || r[who{Shard: k, Slot: e.Slot()}] != e) {
		panic("Single is not what the views say")
	}
	for _, g := range l.Groups() {
		for _, m := range g.Members() {
			r[who{Group: g.Name(), Shard: int(m.Shard), Slot: m.Entry.Slot()}] = m.Entry
		}
	}
	return r
}

// matched is what Match finds. Contents of several leaves may share keys, so that they are counted by leaf.
func matched(x *Index, name string) []map[who]Entry {
	var r []map[who]Entry
	for _, l := range x.Match([]byte(name), nil) {
		r = append(r, content(l, x.shards))
	}
	return r
}

// expected is the model's answer in the same form: one map for each filter.
func (m model) expected(name string) []map[who]Entry {
	byFilter := map[string]map[who]Entry{}
	for w, e := range m.match(name) {
		if byFilter[w.Filter] == nil {
			byFilter[w.Filter] = map[who]Entry{}
		}
		f := w.Filter
		w.Filter = ""
		byFilter[f][w] = e
	}
	return slices.Collect(maps.Values(byFilter))
}

func sorted(ms []map[who]Entry) []string {
	var r []string
	for _, m := range ms {
		r = append(r, fmt.Sprint(m)) // fmt sorts keys
	}
	slices.Sort(r)
	return r
}

// pick draws a path of up to four levels from few words, so that paths meet often.
func pick(r *rand.Rand, words []string) string {
	levels := make([]string, 1+r.IntN(4))
	for i := range levels {
		levels[i] = words[r.IntN(len(words))]
	}
	return strings.Join(levels, "/")
}

var (
	nameWords   = []string{"", "a", "b", "$SYS", "exactly8", "exactly8andmore", "exactly8andless", "é", "abcde", "abcdf"}
	filterWords = append([]string{"+", "+"}, nameWords...)
)

func pickFilter(r *rand.Rand) string {
	f := pick(r, filterWords)
	if r.IntN(4) == 0 {
		f += "/#"
	} else if r.IntN(40) == 0 || f == "" {
		f = "#"
	}
	return f
}

func TestIndexAgainstModel(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			const shards = 5
			r := rand.New(rand.NewPCG(seed, 1))
			x, m := New(shards), model{}
			for step := range 6000 {
				w := who{Filter: pickFilter(r), Shard: r.IntN(shards), Slot: uint32(r.IntN(12))}
				if r.IntN(4) == 0 {
					w.Group = string(rune('g' + r.IntN(3)))
				}
				if r.IntN(20) == 0 && len(m) > 0 { // one that is there
					for w = range m {
						break
					}
				}
				_, had := m[w]
				grows := step%2000 < 1200
				if grows == (r.IntN(3) > 0) {
					e := MakeEntry(w.Slot, byte(r.IntN(64)), r.IntN(2) == 0, r.IntN(2) == 0)
					if got := subscribe(x, w, e); got != had {
						t.Fatalf("step %d: subscribe %+v: replaced = %v, want %v", step, w, got, had)
					}
					m[w] = e
				} else {
					if got := unsubscribe(x, w); got != had {
						t.Fatalf("step %d: unsubscribe %+v = %v, want %v", step, w, got, had)
					}
					delete(m, w)
				}
				if x.Len() != len(m) {
					t.Fatalf("step %d: Len = %d, want %d", step, x.Len(), len(m))
				}
				name := pick(r, nameWords)
				if name == "" || step%4 != 0 {
					continue
				}
				if diff := cmp.Diff(sorted(m.expected(name)), sorted(matched(x, name))); diff != "" {
					t.Fatalf("step %d: match %q (-want +got)\n%s", step, name, diff)
				}
			}
			filters := map[string]bool{}
			for w := range m {
				filters[w.Filter] = true
			}
			if x.Filters() != len(filters) {
				t.Errorf("Filters = %d, want %d", x.Filters(), len(filters))
			}
			for w := range m {
				if !unsubscribe(x, w) {
					t.Errorf("%+v was not there", w)
				}
			}
			wantBare(t, x.tree)
		})
	}
}

func subscribe(x *Index, w who, e Entry) (replaced bool) {
	if w.Group == "" {
		_, replaced = x.Subscribe(w.Filter, w.Shard, e)
		return replaced
	}
	_, _, replaced = x.SubscribeShared(w.Group, w.Filter, Member{Shard: uint16(w.Shard), Entry: e})
	return replaced
}

func unsubscribe(x *Index, w who) bool {
	if w.Group == "" {
		return x.Unsubscribe(w.Filter, w.Shard, w.Slot)
	}
	return x.UnsubscribeShared(w.Group, w.Filter, w.Shard, w.Slot)
}

// wantBare fails the test if a tree from which everything was removed still holds a node.
func wantBare[V any](t *testing.T, tree *Tree[V]) {
	t.Helper()
	if n := tree.Len(); n != 0 {
		t.Errorf("%d values are left", n)
	}
	for i := range tree.tops {
		if !tree.tops[i].root.empty() {
			t.Errorf("bucket %d still has nodes", i)
		}
	}
	if !tree.wild.root.empty() {
		t.Errorf("the wildcard bucket still has nodes")
	}
}

func FuzzIndex(f *testing.F) {
	f.Add("a/b\na/+\n#\n+/b\na/b/#\n$SYS/#\n+", "a/b\na\n$SYS/x\n/")
	f.Add("+/+/+\n+/a/+\n+/a/#\n/\n//\n/#", "x/a/\n//\n/a/b/c")
	f.Add("exactly8/12345678x\nexactly8/12345678y", "exactly8/12345678x\nexactly8/12345678")
	f.Add("a/#/b\n#a\na+/b", "a/x/b\na+/b")
	f.Fuzz(func(t *testing.T, filters, names string) {
		x, m := New(1), model{}
		for i, s := range strings.Split(filters, "\n") {
			w := who{Filter: s, Slot: uint32(i % 3)}
			subscribe(x, w, MakeEntry(w.Slot, 1, false, false)) // invalid ones too: they must do no harm
			m[w] = MakeEntry(w.Slot, 1, false, false)
		}
		for w := range m {
			if topic.ValidFilter(w.Filter, 0) != nil {
				if !unsubscribe(x, w) {
					t.Fatalf("%+v cannot be removed", w)
				}
				delete(m, w)
			}
		}
		for _, name := range strings.Split(names, "\n") {
			got := sorted(matched(x, name))
			if topic.ValidName(name, 0) != nil {
				continue
			}
			if diff := cmp.Diff(sorted(m.expected(name)), got); diff != "" {
				t.Fatalf("match %q (-want +got)\n%s", name, diff)
			}
		}
		for w := range m {
			if !unsubscribe(x, w) {
				t.Fatalf("%+v was not there", w)
			}
		}
		wantBare(t, x.tree)
	})
}
