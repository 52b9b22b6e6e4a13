package topic

// Match is the relation between filters and names: + stands for exactly one level, # for the level it stands behind and everything below
// it, so that "a/#" matches "a" too. A filter that begins with a wildcard does not match a name that begins with $ [MQTT-4.7.2-1]. All
// other text is compared byte by byte [MQTT-4.7.3-4]. Both arguments must be valid.
func Match[F, T Bytes](filter F, name T) bool {
	if len(name) > 0 && name[0] == '$' && len(filter) > 0 && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	i, j := 0, 0 // where the current level begins in the filter and in the name
	for {
		switch {
		case i < len(filter) && filter[i] == '#':
			return true
		case i < len(filter) && filter[i] == '+':
			i++
			for j < len(name) && name[j] != '/' {
				j++
			}
		default:
			for i < len(filter) && j < len(name) && filter[i] == name[j] && filter[i] != '/' {
				i++
				j++
			}
		}
		filterEnds, nameEnds := i == len(filter), j == len(name)
		switch {
		case filterEnds && nameEnds:
			return true
		case filterEnds:
			return false
		case nameEnds:
			return i+2 == len(filter) && filter[i] == '/' && filter[i+1] == '#'
		case filter[i] != '/' || name[j] != '/':
			return false
		}
		i++
		j++
	}
}
