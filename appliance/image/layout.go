package image

import "vernemq/appliance/hostfs"

// Labels of the partitions, as in the partition table.
const (
	PartESP    = "esp"
	PartConfig = "config"
	PartData   = "data"
	partRoot   = "root-" // and the slot
)

// The slots.
const (
	SlotA = "a"
	SlotB = "b"
)

// Other returns the slot that slot is not.
func Other(slot string) string {
	if slot == SlotA {
		return SlotB
	}
	return SlotA
}

// The host paths of an appliance, besides those of every installation.
const (
	KeyFile     = hostfs.ShareDir + "/image-key.pub" // what updates are signed with
	RunDir      = "/run/vernemq-image"
	NoData      = RunDir + "/no-data"     // made by the first stage: the data partition could not be mounted; holds its device
	DebugShell  = RunDir + "/debug-shell" // made when the operator asks for a shell
	StatusFile  = RunDir + "/status.json"
	HealthSock  = hostfs.RunDir + "/health.sock"
	dataDir     = "/data"
	keepDir     = dataDir + "/image"          // what outlives a restart
	lastGood    = keepDir + "/last-good.json" // the last configuration without errors
	triedFile   = keepDir + "/tried"          // sums of update files that were dealt with
	outcomeFile = keepDir + "/outcome"        // what became of the last update
	reasonFile  = keepDir + "/trial"          // why the trial that runs, or ran last, is not committed
	resetFile   = dataDir + "/factory-reset"  // asked for by command
	resetDone   = dataDir + "/.factory-reset" // the sum of the request that was fulfilled last
	updateDir   = dataDir + "/update"         // where update files may be put
	machineID   = dataDir + "/machine-id"     // made anew by the first stage when it is gone
	sshHome     = "/etc/vernemq-image/ssh"    // home of the user of remote commands
	networkFile = "/etc/systemd/network/10-image.network"
	ntpFile     = "/etc/systemd/timesyncd.conf.d/50-image.conf"
	certDir     = hostfs.EtcDir + "/certificates"
)

// Names on the configuration partition.
const (
	confMain     = "vernemq.conf"
	confDir      = "conf.d"
	confCerts    = "certificates"
	confHostname = "hostname"
	confNetwork  = "network.conf"
	confKeys     = "authorized_keys"
	confReset    = "factory-reset"
	confShell    = "debug-shell"
	confStatus   = "status.txt"
	updateSuffix = ".update"
	refusedMark  = ".refused"
)
