package cloudconfig

import (
	"bytes"
	"reflect"
)

// workPerByte is how much work one rendering may do for each byte that the
// document may have: 16 Mi by default. Every byte written, every round of a
// range, and every byte that goes into and out of a function takes one. Work is
// counted instead of time, so that the outcome does not depend on the machine.
const workPerByte = 16

// errWork says that a template does too much: it loops, or makes a huge text.
var errWork error = ruleError("the template does more work than a cloud-config can need")

// A budget is what is left of the work that one rendering may do.
type budget struct{ left int64 }

func newBudget(work int64) *budget { return &budget{left: work} }

// spend takes work off the budget.
func (b *budget) spend(work int64) error {
	if work < 0 || work > b.left {
		b.left = 0
		return errWork
	}
	b.left -= work
	return nil
}

// spendOn takes the size of all values off the budget.
func (b *budget) spendOn(values ...any) error {
	size := int64(1)
	for _, v := range values {
		size += sizeOf(reflect.ValueOf(v), b.left-size)
	}
	return b.spend(size)
}

// sizeOf returns how many bytes and elements v has, or somewhat more than
// limit if there are more; values may refer to themselves.
func sizeOf(v reflect.Value, limit int64) int64 {
	size := int64(1)
	switch v.Kind() {
	case reflect.String:
		return size + int64(v.Len())
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() && limit > 0 {
			size += sizeOf(v.Elem(), limit-size)
		}
	case reflect.Slice, reflect.Array:
		for i := 0; i < v.Len() && size <= limit; i++ {
			size += sizeOf(v.Index(i), limit-size)
		}
	case reflect.Map:
		for it := v.MapRange(); size <= limit && it.Next(); {
			size += sizeOf(it.Key(), limit-size) + sizeOf(it.Value(), limit-size)
		}
	default:
	}
	return size
}

// An output takes what a template writes. The renderer writes an empty text at
// the start of each block, so that an endless loop passes here too.
type output struct {
	bytes.Buffer
	budget  *budget
	maxSize int64
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	if err := o.budget.spend(1 + int64(len(p))); err != nil {
		return 0, err
	}
	if int64(o.Len())+int64(len(p)) > o.maxSize {
		return 0, ruleError("the document grows beyond its size limit")
	}
	return o.Buffer.Write(p)
}
