// Code generated from catalog.go by go generate; DO NOT EDIT.

package metric

// The samples of the catalogue. Of a metric with several samples the first is named.
const (
	SocketOpen                          ID = 0
	SocketClose                         ID = 1
	SocketCloseTimeout                  ID = 2
	SocketError                         ID = 3
	BytesReceived                       ID = 4
	BytesSent                           ID = 5
	MqttConnectReceived                 ID = 6  // and +1 for MQTT 5.0
	MqttPublishReceived                 ID = 8  // and +1 for MQTT 5.0
	MqttPubackReceived                  ID = 10 // MQTT 3.1 and 3.1.1
	MqttPubrecReceived                  ID = 20 // MQTT 3.1 and 3.1.1
	MqttPubrelReceived                  ID = 30 // MQTT 3.1 and 3.1.1
	MqttPubcompReceived                 ID = 33 // MQTT 3.1 and 3.1.1
	MqttSubscribeReceived               ID = 36 // and +1 for MQTT 5.0
	MqttUnsubscribeReceived             ID = 38 // and +1 for MQTT 5.0
	MqttPingreqReceived                 ID = 40 // and +1 for MQTT 5.0
	MqttDisconnectReceived              ID = 42 // MQTT 3.1 and 3.1.1
	mqttAuthReceived                    ID = 57
	mqttConnackAcceptedSent             ID = 60
	mqttConnackUnacceptableProtocolSent ID = 61
	mqttConnackIdentifierRejectedSent   ID = 62
	mqttConnackServerUnavailableSent    ID = 63
	mqttConnackBadCredentialsSent       ID = 64
	mqttConnackNotAuthorizedSent        ID = 65
	mqttConnackSent                     ID = 66
	MqttPublishSent                     ID = 94  // and +1 for MQTT 5.0
	MqttPubackSent                      ID = 96  // MQTT 3.1 and 3.1.1
	MqttPubrecSent                      ID = 106 // MQTT 3.1 and 3.1.1
	MqttPubrelSent                      ID = 116 // MQTT 3.1 and 3.1.1
	MqttPubcompSent                     ID = 119 // MQTT 3.1 and 3.1.1
	MqttSubackSent                      ID = 122 // and +1 for MQTT 5.0
	MqttUnsubackSent                    ID = 124 // and +1 for MQTT 5.0
	MqttPingrespSent                    ID = 126 // and +1 for MQTT 5.0
	mqttDisconnectSent                  ID = 128
	mqttAuthSent                        ID = 156
	MqttPublishAuthError                ID = 159 // and +1 for MQTT 5.0
	MqttSubscribeAuthError              ID = 161 // and +1 for MQTT 5.0
	MqttInvalidMsgSizeError             ID = 163 // and +1 for MQTT 5.0
	MqttPubackInvalidError              ID = 165 // and +1 for MQTT 5.0
	MqttPubrecInvalidError              ID = 167 // and +1 for MQTT 5.0
	MqttPubcompInvalidError             ID = 169 // and +1 for MQTT 5.0
	ClientKeepaliveExpired              ID = 171 // and +1 for MQTT 5.0
	QueueSetup                          ID = 173
	QueueTeardown                       ID = 174
	QueueMessageDrop                    ID = 175
	QueueFullRefused                    ID = 176
	QueueMessageExpired                 ID = 177
	QueueMessageUnhandled               ID = 178
	QueueMessageIn                      ID = 179
	QueueMessageOut                     ID = 180
	ClientExpired                       ID = 181
	RouterMatchesLocal                  ID = 182
	RouterSubscriptions                 ID = 183
	RetainMessages                      ID = 184
	RetainMemory                        ID = 185
	RetainRefused                       ID = 186
	QueueProcesses                      ID = 187
	ActiveMqttConnections               ID = 188
	totalActiveConnections              ID = 189
	OverloadStage                       ID = 190
	OverloadQos0Dropped                 ID = 191
	OverloadPublishersPaused            ID = 192
	OverloadConnectionsRefused          ID = 193
	OverloadConsumersClosed             ID = 194
	StoreMessages                       ID = 195
	StoreBytes                          ID = 196
	StoreLiveBytes                      ID = 197
	StoreMessageBytes                   ID = 198
	StoreWrittenBytes                   ID = 199
	StoreSyncs                          ID = 200
	StoreRecords                        ID = 201
	StoreFailures                       ID = 202
	StoreRefused                        ID = 203
	StoreHealthy                        ID = 204
	systemContextSwitches               ID = 205
	systemGcCount                       ID = 206
	systemWordsReclaimedByGc            ID = 207
	systemRunQueue                      ID = 208
	systemRuntime                       ID = 209
	systemWallclock                     ID = 210
	systemProcessCount                  ID = 211
	systemUtilization                   ID = 212
	vmMemoryTotal                       ID = 213
	vmMemoryProcesses                   ID = 214
	vmMemoryProcessesUsed               ID = 215
	vmMemorySystem                      ID = 216
)

// NumIDs is the number of samples.
const NumIDs = 217

// PubackReceived returns the sample of mqtt_puback_received for the reason code of an MQTT 5.0 PUBACK.
func PubackReceived(code byte) ID { return pubackReceivedIDs[code] }

var pubackReceivedIDs = lookup(MqttPubackReceived+1, codesPuback)

// PubrecReceived returns the sample of mqtt_pubrec_received for the reason code of an MQTT 5.0 PUBREC.
func PubrecReceived(code byte) ID { return pubrecReceivedIDs[code] }

var pubrecReceivedIDs = lookup(MqttPubrecReceived+1, codesPuback)

// PubrelReceived returns the sample of mqtt_pubrel_received for the reason code of an MQTT 5.0 PUBREL.
func PubrelReceived(code byte) ID { return pubrelReceivedIDs[code] }

var pubrelReceivedIDs = lookup(MqttPubrelReceived+1, codesPubrel)

// PubcompReceived returns the sample of mqtt_pubcomp_received for the reason code of an MQTT 5.0 PUBCOMP.
func PubcompReceived(code byte) ID { return pubcompReceivedIDs[code] }

var pubcompReceivedIDs = lookup(MqttPubcompReceived+1, codesPubrel)

// DisconnectReceived returns the sample of mqtt_disconnect_received for the reason code of an MQTT 5.0 DISCONNECT.
func DisconnectReceived(code byte) ID { return disconnectReceivedIDs[code] }

var disconnectReceivedIDs = lookup(MqttDisconnectReceived+1, codesDisconnectReceived)

// AuthReceived returns the sample of mqtt_auth_received for the reason code of an MQTT 5.0 AUTH.
func AuthReceived(code byte) ID { return authReceivedIDs[code] }

var authReceivedIDs = lookup(mqttAuthReceived+0, codesAuth)

// ConnackReturned returns the sample of mqtt_connack_sent for a return code of MQTT 3.1 and 3.1.1.
func ConnackReturned(code byte) ID { return connackReturnedIDs[code] }

var connackReturnedIDs = lookup(mqttConnackSent, codesReturn)

// ConnackSent returns the sample of mqtt_connack_sent for the reason code of an MQTT 5.0 CONNACK.
func ConnackSent(code byte) ID { return connackSentIDs[code] }

var connackSentIDs = lookup(mqttConnackSent+6, codesConnack)

// PubackSent returns the sample of mqtt_puback_sent for the reason code of an MQTT 5.0 PUBACK.
func PubackSent(code byte) ID { return pubackSentIDs[code] }

var pubackSentIDs = lookup(MqttPubackSent+1, codesPuback)

// PubrecSent returns the sample of mqtt_pubrec_sent for the reason code of an MQTT 5.0 PUBREC.
func PubrecSent(code byte) ID { return pubrecSentIDs[code] }

var pubrecSentIDs = lookup(MqttPubrecSent+1, codesPuback)

// PubrelSent returns the sample of mqtt_pubrel_sent for the reason code of an MQTT 5.0 PUBREL.
func PubrelSent(code byte) ID { return pubrelSentIDs[code] }

var pubrelSentIDs = lookup(MqttPubrelSent+1, codesPubrel)

// PubcompSent returns the sample of mqtt_pubcomp_sent for the reason code of an MQTT 5.0 PUBCOMP.
func PubcompSent(code byte) ID { return pubcompSentIDs[code] }

var pubcompSentIDs = lookup(MqttPubcompSent+1, codesPubrel)

// DisconnectSent returns the sample of mqtt_disconnect_sent for the reason code of an MQTT 5.0 DISCONNECT.
func DisconnectSent(code byte) ID { return disconnectSentIDs[code] }

var disconnectSentIDs = lookup(mqttDisconnectSent+0, codesDisconnectSent)

// AuthSent returns the sample of mqtt_auth_sent for the reason code of an MQTT 5.0 AUTH.
func AuthSent(code byte) ID { return authSentIDs[code] }

var authSentIDs = lookup(mqttAuthSent+0, codesAuth)
