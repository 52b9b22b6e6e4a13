package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"vernemq/appliance/hostfs"
	"vernemq/broker/auth/passwd"
)

// userPrefix begins the variables that stand for users: the name behind it, the password behind the =.
const userPrefix = prefix + "USER_"

// User is one that the environment asks for.
type User struct {
	Name     string // in lower case
	Password []byte
}

// Users returns the users that environ (NAME=value, as os.Environ gives it) asks for, in the order of their names, and everything that is wrong
// with them. Unlike in VerneMQ's image a password may hold = and blanks. No error holds a password.
func Users(environ []string) (users []User, err error) {
	var wrong []error
	from := map[string]string{}
	sorted := slices.Clone(environ)
	slices.Sort(sorted)
	for _, variable := range sorted {
		name, password, _ := strings.Cut(variable, "=")
		user, ok := strings.CutPrefix(name, userPrefix)
		if !ok {
			continue
		}
		user = strings.ToLower(user)
		problem := passwd.CheckUsername(user)
		switch {
		case problem != nil:
		case from[user] != "":
			problem = fmt.Errorf("%s stands for the same user, %s: names are taken in lower case", from[user], user)
		case password == "":
			problem = fmt.Errorf("%w: write %s=PASSWORD", passwd.ErrNoPassword, name)
		default:
			problem = passwd.CheckPassword([]byte(password))
		}
		if problem != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, problem))
			continue
		}
		from[user] = name
		users = append(users, User{user, []byte(password)})
	}
	slices.SortFunc(users, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	return users, errors.Join(wrong...)
}

// WriteUsers sets the passwords of users in the password file at name, a path inside root, and returns whose it changed. Other users and comments
// stay; a user who has the password already is not touched, so that a second start writes nothing and a file that is complete may be read-only.
// vmq-passwd waits meanwhile. See hostfs.WritePrivate for who can read a new file.
func WriteUsers(root hostfs.Root, name string, users []User) (changed []string, err error) {
	path := root.Path(name)
	if _, changed, err = withUsers(path, users); err == nil && len(changed) > 0 {
		changed, err = writeUsers(path, users)
	}
	if err != nil {
		return nil, unusable(name, err)
	}
	return changed, nil
}

func writeUsers(path string, users []User) (changed []string, err error) {
	unlock, err := hostfs.Lock(path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	f, changed, err := withUsers(path, users) // somebody may have changed it before the lock was ours
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	return changed, hostfs.WritePrivate(path, f.Bytes())
}

// withUsers reads the password file, empty if there is none, and sets those passwords in it that it does not have. changed is whose these are.
func withUsers(path string, users []User) (f *passwd.File, changed []string, err error) {
	f = &passwd.File{}
	in, err := os.Open(path)
	if err == nil {
		defer in.Close()
		f, _, err = passwd.Parse(in) // lines that mean nothing are the compiler's to report; they stay
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	has := f.Table()
	for _, u := range users {
		if hash, ok := has[u.Name]; ok && hash.Check(u.Password) {
			continue
		}
		if err := f.Set(u.Name, passwd.New(u.Password)); err != nil {
			return nil, nil, fmt.Errorf("user %s: %w", u.Name, err)
		}
		changed = append(changed, u.Name)
	}
	return f, changed, nil
}

// unusable says what to do about a password file that cannot be read or replaced.
func unusable(name string, err error) error {
	return fmt.Errorf("the users of %s* cannot be written to %s: %w; mount a directory there that user %d can write, "+
		"or mount a complete password file and leave these variables out", userPrefix, name, err, os.Geteuid())
}
