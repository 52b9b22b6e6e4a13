[vernemq]
title=MQTT broker
description=MQTT clients, not encrypted
ports=1883/tcp
