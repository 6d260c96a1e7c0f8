// A judge of evidence tokens on Go's standard library alone. Nothing of Casemate is in it: it
// follows docs/formats/evidence.md.
//
// Each line of standard input is "TOKEN KEY..." in hex: the token, then the raw public keys in the
// order of their suite. For each it prints "good ENCLOSURE SERIAL SEQUENCE STATE KIND" or "bad WHY".
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"unicode/utf8"
)

type item struct {
	major byte
	n     uint64
	raw   []byte
	list  []item
}

var errForm = errors.New("form")

func head(data []byte) (major byte, n uint64, rest []byte, err error) {
	if len(data) == 0 {
		return 0, 0, nil, errForm
	}
	major, info := data[0]>>5, data[0]&31
	data = data[1:]
	if info < 24 {
		return major, uint64(info), data, nil
	}
	if info > 27 {
		return 0, 0, nil, errForm
	}
	width := 1 << (info - 24)
	if len(data) < width {
		return 0, 0, nil, errForm
	}
	for _, b := range data[:width] {
		n = n<<8 | uint64(b)
	}
	least := uint64(24)
	if width > 1 {
		least = 1 << (4 * width)
	}
	if n < least {
		return 0, 0, nil, errForm
	}
	return major, n, data[width:], nil
}

func read(data []byte, depth int) (item, []byte, error) {
	start := data
	major, n, data, err := head(data)
	if err != nil {
		return item{}, nil, err
	}
	out := item{major: major, n: n}
	switch major {
	case 0, 1:
	case 2, 3:
		if uint64(len(data)) < n {
			return out, nil, errForm
		}
		out.raw, data = data[:n], data[n:]
		if major == 3 && !utf8.Valid(out.raw) {
			return out, nil, errForm
		}
	case 4, 5:
		if depth == 0 || n > uint64(len(data)) {
			return out, nil, errForm
		}
		var last []byte
		for i := uint64(0); i < n; i++ {
			var each item
			if major == 5 {
				before := data
				if each, data, err = read(data, depth-1); err != nil {
					return out, nil, err
				}
				key := before[:len(before)-len(data)]
				if each.major != 0 && each.major != 1 && each.major != 3 || bytes.Compare(last, key) >= 0 {
					return out, nil, errForm
				}
				last = key
				out.list = append(out.list, each)
			}
			if each, data, err = read(data, depth-1); err != nil {
				return out, nil, err
			}
			out.list = append(out.list, each)
		}
	case 7:
		if start[0] != 0xf4 && start[0] != 0xf5 && start[0] != 0xf6 {
			return out, nil, errForm
		}
	default:
		return out, nil, errForm
	}
	return out, data, nil
}

func whole(data []byte, depth int) (item, error) {
	out, rest, err := read(data, depth)
	if err == nil && len(rest) > 0 {
		err = errForm
	}
	return out, err
}

// field returns the value of an integer key of a map.
func (m item) field(key int64) (item, bool) {
	for i := 0; m.major == 5 && i+1 < len(m.list); i += 2 {
		k := m.list[i]
		if key >= 0 && k.major == 0 && k.n == uint64(key) || key < 0 && k.major == 1 && k.n == uint64(-1-key) {
			return m.list[i+1], true
		}
	}
	return item{}, false
}

func headOf(major byte, n uint64) []byte {
	switch {
	case n < 24:
		return []byte{major<<5 | byte(n)}
	case n < 1<<8:
		return []byte{major<<5 | 24, byte(n)}
	case n < 1<<16:
		return []byte{major<<5 | 25, byte(n >> 8), byte(n)}
	}
	return []byte{major<<5 | 26, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

func text(raw []byte) []byte   { return append(headOf(3, uint64(len(raw))), raw...) }
func octets(raw []byte) []byte { return append(headOf(2, uint64(len(raw))), raw...) }

var field = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
var small = func() []*big.Int {
	y8, _ := new(big.Int).SetString("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826", 16)
	one := big.NewInt(1)
	return []*big.Int{big.NewInt(0), one, new(big.Int).Sub(field, one), y8, new(big.Int).Sub(field, y8)}
}()

// strict refuses an encoding of a point that is not canonical, or of small order.
func strict(data []byte) bool {
	raw := make([]byte, 32)
	for i := range raw {
		raw[31-i] = data[i]
	}
	raw[0] &= 0x7f
	y := new(big.Int).SetBytes(raw)
	if y.Cmp(field) >= 0 {
		return false
	}
	for _, each := range small {
		if y.Cmp(each) == 0 {
			return false
		}
	}
	return true
}

// key returns the COSE number, the id and a verifier of a raw public key.
func key(raw []byte) (alg int64, kid []byte, verify func(message, signature []byte) bool, err error) {
	var cose []byte
	sets := map[int]struct {
		alg  int64
		with mldsa.Parameters
	}{1312: {-48, mldsa.MLDSA44()}, 1952: {-49, mldsa.MLDSA65()}, 2592: {-50, mldsa.MLDSA87()}}
	if len(raw) == 32 {
		alg = -19
		cose = append([]byte{0xa3, 1, 1, 0x20, 6, 0x21}, octets(raw)...)
		verify = func(message, signature []byte) bool {
			return len(signature) == 64 && strict(raw) && strict(signature[:32]) &&
				ed25519.Verify(raw, message, signature)
		}
	} else {
		set, known := sets[len(raw)]
		if !known {
			return 0, nil, nil, errors.New("key")
		}
		alg = set.alg
		cose = append([]byte{0xa3, 1, 7, 3}, headOf(1, uint64(-1-alg))...)
		cose = append(append(cose, 0x20), octets(raw)...)
		public, err := mldsa.NewPublicKey(set.with, raw)
		if err != nil {
			return 0, nil, nil, err
		}
		verify = func(message, signature []byte) bool {
			return mldsa.Verify(public, message, signature, nil) == nil
		}
	}
	sum := sha256.Sum256(cose)
	return alg, sum[:16], verify, nil
}

const typ = "application/eat+cwt"

func judge(data []byte, keys [][]byte) (string, error) {
	if len(data) > 65535 || !bytes.HasPrefix(data, []byte{0xd8, 98}) {
		return "", errForm
	}
	top, err := whole(data[2:], 4)
	if err != nil || top.major != 4 || len(top.list) != 4 {
		return "", errForm
	}
	outer, unprotected, payload, signatures := top.list[0], top.list[1], top.list[2], top.list[3]
	if !bytes.Equal(outer.raw, append([]byte{0xa1, 16}, text([]byte(typ))...)) || outer.major != 2 ||
		unprotected.major != 5 || unprotected.n != 0 || payload.major != 2 || signatures.major != 4 {
		return "", errForm
	}
	if len(signatures.list) != len(keys) || len(keys) == 0 {
		return "", errors.New("signatures")
	}
	for i, each := range signatures.list {
		alg, kid, verify, err := key(keys[i])
		if err != nil {
			return "", err
		}
		inner := append([]byte{0xa2, 1}, headOf(1, uint64(-1-alg))...)
		inner = append(append(inner, 4), octets(kid)...)
		if each.major != 4 || len(each.list) != 3 || each.list[0].major != 2 ||
			!bytes.Equal(each.list[0].raw, inner) ||
			each.list[1].major != 5 || each.list[1].n != 0 || each.list[2].major != 2 {
			return "", errors.New("signature's form")
		}
		message := append([]byte{0x85}, text([]byte("Signature"))...)
		message = append(append(message, octets(outer.raw)...), octets(inner)...)
		message = append(append(message, 0x40), octets(payload.raw)...)
		if !verify(message, each.list[2].raw) {
			return "", errors.New("signature")
		}
	}
	claims, err := whole(payload.raw, 6)
	if err != nil {
		return "", err
	}
	profile, _ := claims.field(265)
	if profile.major != 3 || string(profile.raw) != "tag:casemate.example,2026:evidence/1" {
		return "", errors.New("profile")
	}
	said := []string{"good"}
	for _, label := range []int64{-70001, -70002, -70004, -70007, -70003} {
		each, there := claims.field(label)
		switch {
		case there && each.major == 3:
			said = append(said, string(each.raw))
		case there && each.major == 0:
			said = append(said, fmt.Sprint(each.n))
		default:
			return "", errors.New("claims")
		}
	}
	return strings.Join(said, " "), nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for lines.Scan() {
		var parts [][]byte
		for _, each := range strings.Fields(lines.Text()) {
			raw, err := hex.DecodeString(each)
			if err != nil {
				panic(err)
			}
			parts = append(parts, raw)
		}
		said, err := judge(parts[0], parts[1:])
		if err != nil {
			said = "bad " + err.Error()
		}
		fmt.Println(said)
	}
}
