[vernemq]
title=MQTT broker
description=MQTT clients, not encrypted
ports=1883/tcp

[vernemq TLS]
title=MQTT broker, encrypted
description=MQTT clients over TLS
ports=8883/tcp

[vernemq WebSocket]
title=MQTT broker over WebSocket
description=MQTT clients in browsers
ports=8080/tcp
