// Code generated from catalog.go by go generate; DO NOT EDIT.

package metric

// The samples of the catalogue. Of a metric with several samples the first is named.
const (
	SocketOpen                          ID = 0
	SocketClose                         ID = 1
	SocketCloseTimeout                  ID = 2
	SocketRefused                       ID = 3
	SocketError                         ID = 4
	BytesReceived                       ID = 5
	BytesSent                           ID = 6
	MqttConnectReceived                 ID = 7  // and +1 for MQTT 5.0
	MqttPublishReceived                 ID = 9  // and +1 for MQTT 5.0
	MqttPubackReceived                  ID = 11 // MQTT 3.1 and 3.1.1
	MqttPubrecReceived                  ID = 21 // MQTT 3.1 and 3.1.1
	MqttPubrelReceived                  ID = 31 // MQTT 3.1 and 3.1.1
	MqttPubcompReceived                 ID = 34 // MQTT 3.1 and 3.1.1
	MqttSubscribeReceived               ID = 37 // and +1 for MQTT 5.0
	MqttUnsubscribeReceived             ID = 39 // and +1 for MQTT 5.0
	MqttPingreqReceived                 ID = 41 // and +1 for MQTT 5.0
	MqttDisconnectReceived              ID = 43 // MQTT 3.1 and 3.1.1
	mqttAuthReceived                    ID = 58
	mqttConnackAcceptedSent             ID = 61
	mqttConnackUnacceptableProtocolSent ID = 62
	mqttConnackIdentifierRejectedSent   ID = 63
	mqttConnackServerUnavailableSent    ID = 64
	mqttConnackBadCredentialsSent       ID = 65
	mqttConnackNotAuthorizedSent        ID = 66
	mqttConnackSent                     ID = 67
	MqttPublishSent                     ID = 95  // and +1 for MQTT 5.0
	MqttPubackSent                      ID = 97  // MQTT 3.1 and 3.1.1
	MqttPubrecSent                      ID = 107 // MQTT 3.1 and 3.1.1
	MqttPubrelSent                      ID = 117 // MQTT 3.1 and 3.1.1
	MqttPubcompSent                     ID = 120 // MQTT 3.1 and 3.1.1
	MqttSubackSent                      ID = 123 // and +1 for MQTT 5.0
	MqttUnsubackSent                    ID = 125 // and +1 for MQTT 5.0
	MqttPingrespSent                    ID = 127 // and +1 for MQTT 5.0
	mqttDisconnectSent                  ID = 129
	mqttAuthSent                        ID = 157
	MqttPublishAuthError                ID = 160 // and +1 for MQTT 5.0
	MqttSubscribeAuthError              ID = 162 // and +1 for MQTT 5.0
	MqttInvalidMsgSizeError             ID = 164 // and +1 for MQTT 5.0
	MqttPubackInvalidError              ID = 166 // and +1 for MQTT 5.0
	MqttPubrecInvalidError              ID = 168 // and +1 for MQTT 5.0
	MqttPubcompInvalidError             ID = 170 // and +1 for MQTT 5.0
	MqttTopicDepthError                 ID = 172 // and +1 for MQTT 5.0
	MqttSubscriptionLimitError          ID = 174 // and +1 for MQTT 5.0
	MqttConnectionRateError             ID = 176 // and +1 for MQTT 5.0
	MqttMessageRatePaused               ID = 178 // and +1 for MQTT 5.0
	ClientLifetimeExpired               ID = 180 // and +1 for MQTT 5.0
	ClientKeepaliveExpired              ID = 182 // and +1 for MQTT 5.0
	QueueSetup                          ID = 184
	QueueTeardown                       ID = 185
	QueueMessageDrop                    ID = 186
	QueueFullRefused                    ID = 187
	QueueMessageExpired                 ID = 188
	QueueMessageUnhandled               ID = 189
	QueueMessageIn                      ID = 190
	QueueMessageOut                     ID = 191
	ClientExpired                       ID = 192
	RouterMatchesLocal                  ID = 193
	RouterSubscriptions                 ID = 194
	RetainMessages                      ID = 195
	RetainMemory                        ID = 196
	RetainRefused                       ID = 197
	QueueProcesses                      ID = 198
	ActiveMqttConnections               ID = 199
	totalActiveConnections              ID = 200
	OverloadStage                       ID = 201
	OverloadQos0Dropped                 ID = 202
	OverloadPublishersPaused            ID = 203
	OverloadConnectionsRefused          ID = 204
	OverloadConsumersClosed             ID = 205
	StoreMessages                       ID = 206
	StoreBytes                          ID = 207
	StoreLiveBytes                      ID = 208
	StoreMessageBytes                   ID = 209
	StoreWrittenBytes                   ID = 210
	StoreSyncs                          ID = 211
	StoreRecords                        ID = 212
	StoreFailures                       ID = 213
	StoreRefused                        ID = 214
	StoreUnreadable                     ID = 215
	StoreCutBytes                       ID = 216
	StoreHealthy                        ID = 217
	systemContextSwitches               ID = 218
	systemGcCount                       ID = 219
	systemWordsReclaimedByGc            ID = 220
	systemRunQueue                      ID = 221
	systemRuntime                       ID = 222
	systemWallclock                     ID = 223
	systemProcessCount                  ID = 224
	systemUtilization                   ID = 225
	vmMemoryTotal                       ID = 226
	vmMemoryProcesses                   ID = 227
	vmMemoryProcessesUsed               ID = 228
	vmMemorySystem                      ID = 229
)

// NumIDs is the number of samples.
const NumIDs = 230

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
