package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestHistogramQuantiles(t *testing.T) {
	upTo := func(n int64) (v []int64) {
		for i := range n {
			v = append(v, i+1)
		}
		return v
	}
	for _, c := range []struct {
		name   string
		values []int64
		q      float64
		want   int64
	}{
		{"empty", nil, .5, 0},
		{"one", []int64{7}, .5, 7},
		{"one, at the end", []int64{7}, 1, 7},
		{"negative", []int64{-5}, .99, 0},
		{"small ones are exact", upTo(100), .5, 51},
		{"99 of 100", upTo(100), .99, 100},
		{"first", upTo(100), 0, 1},
		{"one far away", append(upTo(99), math.MaxInt64), .999, math.MaxInt64 - 1<<55},
	} {
		var h histogram
		for _, v := range c.values {
			h.record(v)
		}
		got := h.quantile(c.q)
		if diff := math.Abs(float64(got - c.want)); diff > float64(c.want)/64 {
			t.Errorf("%s: quantile(%g) = %d, want %d", c.name, c.q, got, c.want)
		}
	}
}

// Every value lies within its bucket, buckets touch, and none is wider than 1/64 of what it holds.
func TestHistogramBuckets(t *testing.T) {
	var h histogram
	end := int64(0)
	for i := range h.buckets {
		low, next := limits(i)
		if low != end {
			t.Fatalf("bucket %d begins at %d, the one before ends at %d", i, low, end)
		}
		if bucket(low) != i || next > 0 && bucket(next-1) != i {
			t.Fatalf("bucket %d is %d to %d, and its ends fall into %d and %d", i, low, next, bucket(low), bucket(next-1))
		}
		if width := next - low; width > 1 && width > low/64 {
			t.Fatalf("bucket %d is %d wide at %d", i, width, low)
		}
		end = next
	}
	if end != math.MinInt64 { // one beyond the largest int64
		t.Errorf("the last bucket ends at %d", end)
	}
}

// Quantiles of random values are those of the sorted values, to the histogram's precision; the sum of two histograms is that of all values.
func TestHistogramAgainstSorting(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var a, b histogram
		var all []int64
		sum := 0.0
		for range 1 + random.IntN(2000) {
			v := int64(math.Exp(random.Float64() * 40))
			if random.IntN(2) == 0 {
				a.record(v)
			} else {
				b.record(v)
			}
			all, sum = append(all, v), sum+float64(v)
		}
		a.add(&b)
		slices.Sort(all)
		for _, q := range []float64{0, .1, .5, .9, .99, .999, 1} {
			want := all[min(int(q*float64(len(all))), len(all)-1)]
			if got := a.quantile(q); math.Abs(float64(got-want)) > float64(want)/64+1 {
				t.Fatalf("quantile(%g) of %d values = %d, want %d", q, len(all), got, want)
			}
		}
		if a.count != int64(len(all)) || a.max != all[len(all)-1] || math.Abs(a.mean()-sum/float64(len(all))) > sum*1e-12 {
			t.Fatalf("count %d max %d mean %g, want %d %d %g", a.count, a.max, a.mean(), len(all), all[len(all)-1], sum/float64(len(all)))
		}
	}
}
