// Package passwd owns the format of password files: the hash, the lines, and how a file is changed without losing what else stands in it. It
// knows neither where the file lies nor who asks.
//
// A line is
//
//	username:$6$<salt>$<hash>
//
// with the salt and the hash in base64. The hash is one round of SHA-512 over the password followed by the bytes of the salt: the format of
// VerneMQ and of older mosquitto files, not the $6$ of crypt(3). A line that begins with # is a comment. Line ends are LF or CRLF.
package passwd

import (
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// saltSize is the length of new salts in bytes.
const saltSize = 12

// maxSalt bounds the salts that are read, in bytes.
const maxSalt = 64

// Hash is a salted password. It is immutable.
type Hash struct {
	salt string
	sum  [sha512.Size]byte
}

// What can be wrong with the text of a hash. The texts never quote what was read: it may be a password.
var (
	ErrNotHashed   = errors.New("the password is not hashed: run vmq-passwd -U on the file")
	ErrUnsupported = errors.New("only hashes of the form $6$salt$hash are supported: set the password again with vmq-passwd")
	ErrDamaged     = errors.New("the hash is damaged: set the password again with vmq-passwd")
)

// MaxPassword is the longest password a client can send, in bytes (MQTT 5.0, section 1.5.6).
const MaxPassword = 65535

// What can be wrong with a password.
var (
	ErrNoPassword     = errors.New("the password is empty")
	ErrPasswordLength = fmt.Errorf("the password is longer than %d bytes", MaxPassword)
)

// CheckPassword refuses passwords with which no client can log in.
func CheckPassword(password []byte) error {
	switch {
	case len(password) == 0:
		return ErrNoPassword
	case len(password) > MaxPassword:
		return ErrPasswordLength
	}
	return nil
}

// New returns the hash of a password with a fresh salt.
func New(password []byte) Hash {
	var salt [saltSize]byte
	rand.Read(salt[:]) // never fails
	return Hash{string(salt[:]), sum(password, string(salt[:]))}
}

// Check reports whether password is the one that was hashed. It takes the same time wherever they differ. Safe for concurrent use.
func (h Hash) Check(password []byte) bool {
	got := sum(password, h.salt)
	return subtle.ConstantTimeCompare(got[:], h.sum[:]) == 1
}

// String returns the hash as it stands in a file.
func (h Hash) String() string {
	return "$6$" + base64.StdEncoding.EncodeToString([]byte(h.salt)) + "$" + base64.StdEncoding.EncodeToString(h.sum[:])
}

// ParseHash reads the text of a hash: $6$salt$hash.
func ParseHash(s string) (h Hash, err error) {
	rest, ok := strings.CutPrefix(s, "$6$")
	switch {
	case ok:
	case len(s) > 2 && s[0] == '$' && s[1] >= '0' && s[1] <= '9' && strings.Count(s, "$") >= 3:
		return h, ErrUnsupported
	default:
		return h, ErrNotHashed
	}
	saltText, sumText, ok := strings.Cut(rest, "$")
	if !ok {
		return h, ErrDamaged
	}
	strict := base64.StdEncoding.Strict()
	salt, saltErr := strict.DecodeString(saltText)
	digest, sumErr := strict.DecodeString(sumText)
	// DecodeString passes over line ends; here they are as wrong as any other byte outside the alphabet.
	if saltErr != nil || sumErr != nil || len(salt) == 0 || len(salt) > maxSalt || len(digest) != sha512.Size || strings.ContainsAny(s, "\r\n") {
		return h, ErrDamaged
	}
	h.salt = string(salt)
	copy(h.sum[:], digest)
	return h, nil
}

func sum(password []byte, salt string) (out [sha512.Size]byte) {
	h := sha512.New()
	h.Write(password)
	h.Write([]byte(salt))
	h.Sum(out[:0])
	return out
}
