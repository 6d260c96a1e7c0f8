// A judge of notes, cosignatures, proofs of inclusion and proofs of guilt, written from the pages
// of C2SP and RFC 9162 on Go's standard library alone. One JSON object a line in; "good" or
// "bad: why" a line out.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type question struct {
	Kind  string   `json:"kind"`
	Vkeys []string `json:"vkeys"`
	Data  []byte   `json:"data"`
	Entry []byte   `json:"entry"`
}

type key struct {
	name string
	id   []byte
	kind byte
	alg  string
	raw  []byte
}

type line struct {
	name string
	blob []byte
}

type checkpoint struct {
	text   string
	lines  []line
	origin string
	size   uint64
	root   []byte
}

func strict64(s string) ([]byte, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != s {
		return nil, errors.New("base64")
	}
	return raw, nil
}

func number(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, errors.New("number")
	}
	return n, nil
}

func badName(s string) bool {
	return s == "" || strings.Contains(s, "+") || strings.IndexFunc(s, unicode.IsSpace) >= 0
}

func parseKey(s string) (key, error) {
	parts := strings.SplitN(s, "+", 3)
	if len(parts) != 3 || badName(parts[0]) {
		return key{}, errors.New("vkey")
	}
	typed, err := strict64(parts[2])
	if err != nil || len(typed) < 33 {
		return key{}, errors.New("vkey")
	}
	hash := sha256.Sum256(append([]byte(parts[0]+"\n"), typed...))
	if hex.EncodeToString(hash[:4]) != parts[1] {
		return key{}, errors.New("key id")
	}
	k := key{name: parts[0], id: hash[:4], kind: typed[0], raw: typed[1:]}
	switch {
	case k.kind == 1 || k.kind == 4:
		k.alg = "ed25519"
	case k.kind == 6:
		k.alg = "44"
	case bytes.HasPrefix(typed, []byte("\xffcasemate ml-dsa-65\n")):
		k.alg, k.raw = "65", typed[20:]
	case bytes.HasPrefix(typed, []byte("\xffcasemate ml-dsa-87\n")):
		k.alg, k.raw = "87", typed[20:]
	default:
		return key{}, errors.New("type")
	}
	return k, nil
}

func parseCheckpoint(data []byte) (checkpoint, error) {
	var c checkpoint
	if !utf8.Valid(data) {
		return c, errors.New("not UTF-8")
	}
	for _, b := range data {
		if b < 0x20 && b != '\n' {
			return c, errors.New("control character")
		}
	}
	whole := string(data)
	at := strings.LastIndex(whole, "\n\n")
	if at < 0 || !strings.HasSuffix(whole, "\n") || at+2 == len(whole) {
		return c, errors.New("no signatures")
	}
	c.text = whole[:at+1]
	for _, row := range strings.Split(whole[at+2:len(whole)-1], "\n") {
		parts := strings.Split(row, " ")
		if len(parts) != 3 || parts[0] != "—" || badName(parts[1]) {
			return c, errors.New("signature line")
		}
		blob, err := strict64(parts[2])
		if err != nil || len(blob) < 5 {
			return c, errors.New("signature line")
		}
		c.lines = append(c.lines, line{parts[1], blob})
	}
	rows := strings.Split(c.text, "\n")
	if len(rows) != 4 || rows[0] == "" {
		return c, errors.New("not three lines")
	}
	var err error
	c.origin = rows[0]
	if c.size, err = number(rows[1]); err != nil {
		return c, err
	}
	if c.root, err = strict64(rows[2]); err != nil || len(c.root) != 32 {
		return c, errors.New("root")
	}
	return c, nil
}

func verifyMLDSA(params mldsa.Parameters, raw, message, signature []byte) error {
	public, err := mldsa.NewPublicKey(params, raw)
	if err != nil {
		return err
	}
	return mldsa.Verify(public, message, signature, nil)
}

func short(s string) []byte { return append([]byte{byte(len(s))}, s...) }

func checkLine(k key, c checkpoint, blob []byte) error {
	signature := blob[4:]
	message := []byte(c.text)
	if k.kind == 4 || k.kind == 6 {
		if len(signature) < 8 {
			return errors.New("short")
		}
		at := binary.BigEndian.Uint64(signature[:8])
		signature = signature[8:]
		if k.kind == 4 {
			message = []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, c.text))
		} else {
			message = []byte("subtree/v1\n\x00")
			message = append(message, short(k.name)...)
			message = binary.BigEndian.AppendUint64(message, at)
			message = append(message, short(c.origin)...)
			message = binary.BigEndian.AppendUint64(message, 0)
			message = binary.BigEndian.AppendUint64(message, c.size)
			message = append(message, c.root...)
		}
	}
	switch k.alg {
	case "ed25519":
		if len(k.raw) != 32 || !ed25519.Verify(k.raw, message, signature) {
			return errors.New("Ed25519 signature")
		}
		return nil
	case "44":
		return verifyMLDSA(mldsa.MLDSA44(), k.raw, message, signature)
	case "65":
		return verifyMLDSA(mldsa.MLDSA65(), k.raw, message, signature)
	}
	return verifyMLDSA(mldsa.MLDSA87(), k.raw, message, signature)
}

func judgeNote(data []byte, vkeys []string) (checkpoint, error) {
	c, err := parseCheckpoint(data)
	if err != nil {
		return c, err
	}
	for _, text := range vkeys {
		k, err := parseKey(text)
		if err != nil {
			return c, err
		}
		found := false
		for _, l := range c.lines {
			if l.name == k.name && bytes.Equal(l.blob[:4], k.id) {
				if err := checkLine(k, c, l.blob); err != nil {
					return c, err
				}
				found = true
			}
		}
		if !found {
			return c, errors.New("not signed by " + k.name)
		}
	}
	return c, nil
}

func node(left, right []byte) []byte {
	h := sha256.Sum256(append(append([]byte{1}, left...), right...))
	return h[:]
}

// inclusion follows RFC 9162, section 2.1.3.2, step by step.
func inclusion(index, size uint64, leaf []byte, path [][]byte, root []byte) error {
	if index >= size {
		return errors.New("index")
	}
	fn, sn, r := index, size-1, leaf
	for _, p := range path {
		if sn == 0 {
			return errors.New("path too long")
		}
		if fn&1 == 1 || fn == sn {
			r = node(p, r)
			for fn&1 == 0 && fn != 0 {
				fn >>= 1
				sn >>= 1
			}
		} else {
			r = node(r, p)
		}
		fn >>= 1
		sn >>= 1
	}
	if sn != 0 || !bytes.Equal(r, root) {
		return errors.New("root")
	}
	return nil
}

// consistency follows RFC 9162, section 2.1.4.2, step by step.
func consistency(first, second uint64, path [][]byte, firstRoot, secondRoot []byte) error {
	if first == 0 || first >= second || len(path) == 0 {
		return errors.New("sizes")
	}
	if first&(first-1) == 0 {
		path = append([][]byte{firstRoot}, path...)
	}
	fn, sn := first-1, second-1
	for fn&1 == 1 {
		fn >>= 1
		sn >>= 1
	}
	fr, sr := path[0], path[0]
	for _, c := range path[1:] {
		if sn == 0 {
			return errors.New("path too long")
		}
		if fn&1 == 1 || fn == sn {
			fr, sr = node(c, fr), node(c, sr)
			for fn&1 == 0 && fn != 0 {
				fn >>= 1
				sn >>= 1
			}
		} else {
			sr = node(sr, c)
		}
		fn >>= 1
		sn >>= 1
	}
	if sn != 0 || !bytes.Equal(fr, firstRoot) || !bytes.Equal(sr, secondRoot) {
		return errors.New("roots")
	}
	return nil
}

func hashes(rows []string) ([][]byte, error) {
	var path [][]byte
	for _, row := range rows {
		raw, err := strict64(row)
		if err != nil || len(raw) != 32 {
			return nil, errors.New("hash")
		}
		path = append(path, raw)
	}
	return path, nil
}

func judgeProof(data, entry []byte, vkeys []string) error {
	head, rest, found := strings.Cut(string(data), "\n\n")
	rows := strings.Split(head, "\n")
	if !found || len(rows) < 2 || rows[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("head")
	}
	rows = rows[1:]
	if strings.HasPrefix(rows[0], "extra ") {
		if _, err := strict64(rows[0][6:]); err != nil {
			return err
		}
		rows = rows[1:]
	}
	if len(rows) == 0 || !strings.HasPrefix(rows[0], "index ") {
		return errors.New("index")
	}
	index, err := number(rows[0][6:])
	if err != nil {
		return err
	}
	path, err := hashes(rows[1:])
	if err != nil {
		return err
	}
	c, err := judgeNote([]byte(rest), vkeys)
	if err != nil {
		return err
	}
	leaf := sha256.Sum256(append([]byte{0}, entry...))
	return inclusion(index, c.size, leaf[:], path, c.root)
}

func judgeGuilt(data []byte, vkeys []string) error {
	var g struct {
		Format, First, Second, Root string
		Hashes                      []string
	}
	if err := json.Unmarshal(data, &g); err != nil || g.Format != "casemate-log-guilt-1" {
		return errors.New("format")
	}
	one, err := judgeNote([]byte(g.First), vkeys)
	if err != nil {
		return err
	}
	two, err := judgeNote([]byte(g.Second), vkeys)
	if err != nil {
		return err
	}
	if one.origin != two.origin || one.size > two.size {
		return errors.New("order")
	}
	if one.size == two.size {
		if bytes.Equal(one.root, two.root) || g.Root != "" || len(g.Hashes) != 0 {
			return errors.New("the same root")
		}
		return nil
	}
	root, err := strict64(g.Root)
	if err != nil || len(root) != 32 || bytes.Equal(root, one.root) {
		return errors.New("no other root")
	}
	path, err := hashes(g.Hashes)
	if err != nil {
		return err
	}
	return consistency(one.size, two.size, path, root, two.root)
}

func judge(q question) error {
	switch q.Kind {
	case "note":
		_, err := judgeNote(q.Data, q.Vkeys)
		return err
	case "proof":
		return judgeProof(q.Data, q.Entry, q.Vkeys)
	case "guilt":
		return judgeGuilt(q.Data, q.Vkeys)
	}
	return errors.New("kind")
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var q question
		err := json.Unmarshal(in.Bytes(), &q)
		if err == nil {
			err = judge(q)
		}
		if err != nil {
			fmt.Fprintln(out, "bad:", err)
		} else {
			fmt.Fprintln(out, "good")
		}
	}
}
