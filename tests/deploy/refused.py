"""Values that cannot work, by the key that `helm template` has to name; words after the key tell cases apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

IMAGE = {"repository": "registry.example.org/tools/regsync"}
ENTRY = {"source": "docker.io/library/alpine:3.22", "target": "registry.example.org/alpine:3.22", "type": "image"}
TO_LAYOUT = {**ENTRY, "target": "ocidir:///var/lib/regsync/alpine:3.22"}
LEAST: Mapping[str, Any] = {"image": IMAGE, "config": {"defaults": {"interval": "1h"}, "sync": [ENTRY]}}
VOLUME = {"name": "x", "emptyDir": {}}
CANNOT_WORK: Mapping[str, Mapping[str, Any]] = {
    "image.repository": {"image": {"repository": ""}},
    "image.repository with a tag": {"image": {"repository": "registry.example.org/regsync:1.0"}},
    "image.digest": {"image": {**IMAGE, "digest": "sha256:abc"}},
    "mode": {"mode": "daemon"},
    "replicas": {"replicas": 2},
    "config": {"config": None},
    "config beside another": {"existingConfigMap": "mine"},
    "config.sync": {"config": {"sync": []}},
    "config.sync that is no list": {"config": {"sync": "alpine"}},
    "config.sync[0] that is text": {"config": {"sync": ["alpine"]}},
    "config.sync[0].target that is missing": {"config": {"sync": [{"source": "alpine", "type": "image"}]}},
    "config.defaults that is a list": {"config": {"defaults": ["interval"]}},
    "config.sync[1]: a server needs an interval": {
        "config": {"defaults": {"interval": None}, "sync": [{**ENTRY, "interval": "1h"}, ENTRY]}
    },
    "config.sync[0].target": {"config": {"sync": [{**ENTRY, "target": "ocidir://mirror/alpine"}]}},
    "persistence.enabled": {"config": {"sync": [TO_LAYOUT]}},
    "config.defaults.state": {"config": {"defaults": {"state": "/data/state.db"}}},
    "extraCA": {"extraCA": {"existingSecret": "one", "existingConfigMap": "two"}},
    "extraCA.pem": {"extraCA": {"pem": "/etc/ssl/company.pem"}},
    "graceSeconds": {"graceSeconds": "25s"},
    "service.port": {"service": {"port": 80}},
    "serviceMonitor.enabled": {"mode": "cronjob", "serviceMonitor": {"enabled": True}},
    "cronjob.schedule": {"mode": "cronjob", "cronjob": {"schedule": "TZ=Europe/Berlin 15 2 * * *"}},
    "cronjob.schedule of an interval": {"mode": "cronjob", "cronjob": {"schedule": "1h"}},
    "cronjob.timeZone": {"mode": "cronjob", "cronjob": {"timeZone": ""}},
    "persistence.existingClaim": {"persistence": {"existingClaim": "disk"}},
    "persistence.accessModes": {"persistence": {"accessModes": ["ReadOnlyMany"]}},
    "logins.existingSecret": {"logins": {"existingSecret": "Not_A_Name"}},
    "extraVolumeMounts": {"extraVolumeMounts": [{"name": "x", "mountPath": "/srv", "subPath": "y"}]},
    "extraVolumeMounts[0].mountPath": {
        "extraVolumes": [VOLUME],
        "extraVolumeMounts": [{"name": "x", "mountPath": "/etc/regsync"}],
    },
    "extraEnv[0].name": {"logins": {"existingSecret": "x"}, "extraEnv": [{"name": "DOCKER_CONFIG", "value": "/x"}]},
    "logFormat": {"logFormat": "logfmt"},
    # What is not of the type that is wanted.
    "mode of both": {"mode": ["server", "cronjob"]},
    "image.tag that is a number": {"image": {**IMAGE, "tag": 1.0}},
    "imagePullSecrets": {"imagePullSecrets": "pull"},
    "imagePullSecrets.0 that is a name": {"imagePullSecrets": ["pull"]},
    "config that is a number": {"config": 3},
    "existingConfigMap": {"config": None, "existingConfigMap": ["mine"]},
    "podAnnotations.safe": {"podAnnotations": {"safe": True}},
    "nodeSelector.ssd": {"nodeSelector": {"ssd": True}},
    "tolerations": {"tolerations": {"key": "x"}},
    "persistence.enabled that is text": {"persistence": {"enabled": "yes"}},
    "persistence.size that is a number": {"persistence": {"size": 20}},
    "extraEnv": {"extraEnv": {"HTTPS_PROXY": "http://10.0.0.1:3128"}},
    "extraArgs": {"extraArgs": "--verbosity=warn"},
    "networkPolicy.egress": {"networkPolicy": {"egress": {"to": []}}},
    # What nobody reads.
    "replicaCount": {"replicaCount": 1},
    "cronjob.shedule": {"mode": "cronjob", "cronjob": {"shedule": "15 2 * * *"}},
    "image.pullSecrets": {"image": {**IMAGE, "pullSecrets": []}},
    "secrets.files": {"secrets": {"files": {}}},
    "networkPolicy.egress.0.ipBlock": {"networkPolicy": {"egress": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}},
    "networkPolicy.dns.0.ports": {"networkPolicy": {"dns": [{"ports": []}]}},
    # What an API server refuses, or a node, when it is too late.
    "cronjob.schedule of an hour that is none": {"mode": "cronjob", "cronjob": {"schedule": "15 24 * * *"}},
    "cronjob.schedule of a minute that is none": {"mode": "cronjob", "cronjob": {"schedule": "0,60 2 * * *"}},
    "cronjob.schedule of a Sunday that is 7": {"mode": "cronjob", "cronjob": {"schedule": "15 2 * * 1-7"}},
    "cronjob.schedule of a day 0": {"mode": "cronjob", "cronjob": {"schedule": "15 2 0 * *"}},
    "cronjob.schedule with seconds": {"mode": "cronjob", "cronjob": {"schedule": "0 15 2 * * *"}},
    "cronjob.timeZone that is no place": {"mode": "cronjob", "cronjob": {"timeZone": "Europe/Berln"}},
    "persistence.size of a thousandth": {"persistence": {"enabled": True, "size": "20m"}},
    "persistence.accessModes that exclude one another": {
        "persistence": {"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]}
    },
    "persistence.storageClass": {"persistence": {"storageClass": "Fast SSD"}},
    "resources.limits.memory": {"resources": {"limits": {"memory": "512MB"}}},
    "networkPolicy.exceptIPv4.0": {"networkPolicy": {"exceptIPv4": ["fd00::/8"]}},
    "networkPolicy.exceptIPv6.0": {"networkPolicy": {"exceptIPv6": ["10.0.0.0/8"]}},
    "networkPolicy.exceptIPv4.0 that is everything": {"networkPolicy": {"exceptIPv4": ["0.0.0.0/0"]}},
    "podLabels": {"podLabels": {"app.kubernetes.io/name": "mirror"}},
    "serviceMonitor.labels": {"serviceMonitor": {"labels": {"app.kubernetes.io/instance": "mirror"}}},
    "serviceAccount.annotations": {"serviceAccount": {"existingName": "mine", "annotations": {"role": "x"}}},
    "extraEnv.0": {"extraEnv": [{"value": "http://10.0.0.1:3128"}]},
    "extraVolumes.0": {"extraVolumes": [{"emptyDir": {}}]},
    "extraVolumes[0].name": {"extraVolumes": [{"name": "config", "emptyDir": {}}]},
    "extraVolumes[1].name": {"extraVolumes": [{"name": "x", "emptyDir": {}}, {"name": "x", "emptyDir": {}}]},
    "extraVolumeMounts[0].name": {"extraVolumeMounts": [{"name": "x", "mountPath": "/srv"}]},
    "extraVolumeMounts[0].mountPath in one that is taken": {
        "extraVolumes": [VOLUME],
        "extraVolumeMounts": [{"name": "x", "mountPath": "/etc/regsync/more"}],
    },
    "extraVolumeMounts[0].mountPath of a disk": {
        "extraVolumes": [VOLUME],
        "extraVolumeMounts": [{"name": "x", "mountPath": "/var/lib/regsync/"}],
    },
    "extraVolumeMounts.0.mountPath": {"extraVolumeMounts": [{"name": "x", "mountPath": "srv"}]},
    "extraArgs[1]": {"extraArgs": ["--verbosity=warn", "--listen=:9090"]},
    "extraArgs[0]": {"extraArgs": ["-c", "/srv/regsync.yml"]},
    "config.sync[0].source": {"config": {"sync": [{**ENTRY, "source": "ocidir:///srv/images:3.22"}]}},
    "cronjob.schedule of no steps": {"mode": "cronjob", "cronjob": {"schedule": "*/0 * * * *"}},
    "cronjob.schedule that ends before it begins": {"mode": "cronjob", "cronjob": {"schedule": "30-10 * * * *"}},
    "cronjob.schedule of no month": {"mode": "cronjob", "cronjob": {"schedule": "0 0 * FOO *"}},
    "cronjob.schedule of other programs": {"mode": "cronjob", "cronjob": {"schedule": "0 0 L * *"}},
    "cronjob.timeZone that is the machine's": {"mode": "cronjob", "cronjob": {"timeZone": "Local"}},
    "config longer than a ConfigMap": {"config": {"sync": [{**ENTRY, "source": "x" * 1_048_576}]}},
    "resources.limits.memory below what is asked for": {"resources": {"limits": {"memory": "64Mi"}}},
    "resources.limits.memory of another unit": {"resources": {"limits": {"memory": "134M"}}},
    "resources.limits.memory in bytes": {"resources": {"limits": {"memory": 134217727}}},
    "resources.limits.cpu": {"resources": {"limits": {"cpu": "99m"}}},
    "resources.limits.cpu in cores": {"resources": {"limits": {"cpu": 0.09}}},
    "resources.requests": {"resources": {"requests": {"disk": "1Gi"}}},
    "persistence.size of nothing": {"persistence": {"enabled": True, "size": "0"}},
    "networkPolicy.exceptIPv4.0 with a number that is too big": {"networkPolicy": {"exceptIPv4": ["300.0.0.0/8"]}},
    "networkPolicy.egress.0.to.0.ipBlock.cidr": {
        "networkPolicy": {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.1"}}]}]}
    },
    "networkPolicy.egress.0.to.0": {
        "networkPolicy": {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}]}
    },
    "networkPolicy.egress.0.ports.0.port": {"networkPolicy": {"egress": [{"ports": [{"port": 70000}]}]}},
    "networkPolicy.egress.0.ports.0.protocol": {"networkPolicy": {"egress": [{"ports": [{"protocol": "tcp"}]}]}},
    "tolerations.0.operator": {"tolerations": [{"key": "x", "operator": "Is"}]},
    "tolerations.0.ky": {"tolerations": [{"ky": "x"}]},
    "affinity": {"affinity": {"nodeAfinity": {}}},
    "nodeSelector": {"nodeSelector": {"a disk": "ssd"}},
    "podLabels.team": {"podLabels": {"team": "the platform"}},
    "podAnnotations": {"podAnnotations": {"a note": "x"}},
    "extraEnv.0.name": {"extraEnv": [{"name": "A=B", "value": "x"}]},
    "extraEnv.0.value": {"extraEnv": [{"name": "DEBUG", "value": True}]},
    "extraEnv.0 with both": {"extraEnv": [{"name": "A", "value": "x", "valueFrom": {}}]},
    "extraEnv[1].name": {"extraEnv": [{"name": "A", "value": "x"}, {"name": "A", "value": "z"}]},
    "extraVolumes.0.name": {"extraVolumes": [{"name": "X_Z", "emptyDir": {}}]},
    "extraVolumes.0 of no kind": {"extraVolumes": [{"name": "x"}]},
    "extraVolumes.0.pvc": {"extraVolumes": [{"name": "x", "pvc": {"claimName": "disk"}}]},
    "extraVolumes.0 of two kinds": {"extraVolumes": [{**VOLUME, "secret": {"secretName": "z"}}]},
    "extraVolumeMounts[1].mountPath": {
        "extraVolumes": [VOLUME],
        "extraVolumeMounts": [{"name": "x", "mountPath": "/srv"}, {"name": "x", "mountPath": "/srv/"}],
    },
    "extraVolumeMounts.0.readonly": {"extraVolumeMounts": [{"name": "x", "mountPath": "/srv", "readonly": True}]},
    "secrets.existingSecret": {"secrets": {"existingSecret": "a..b"}},
    "resources.requests.memory in thousandths": {"resources": {"requests": {"memory": "128m"}}},
    "resources.requests.cpu": {"resources": {"requests": {"cpu": "1Gi"}}},
    "networkPolicy.egress.0.ports.0.port that is text": {"networkPolicy": {"egress": [{"ports": [{"port": "5000"}]}]}},
    "networkPolicy.egress.0.ports.0 without a beginning": {"networkPolicy": {"egress": [{"ports": [{"endPort": 90}]}]}},
    "networkPolicy.dns.0.podSelector.matchExpressions.0.operator": {
        "networkPolicy": {"dns": [{"podSelector": {"matchExpressions": [{"key": "a", "operator": "in"}]}}]}
    },
    "extraEnv.0.valueFrom": {"extraEnv": [{"name": "A", "valueFrom": {}}]},
    "extraEnv.0.valueFrom.secret": {"extraEnv": [{"name": "A", "valueFrom": {"secret": {"name": "x"}}}]},
    "extraVolumes.0.secret": {"extraVolumes": [{"name": "x", "secret": {"name": "keys"}}]},
    "extraVolumes.0.configMap": {"extraVolumes": [{"name": "x", "configMap": {}}]},
    "extraVolumes.0.persistentVolumeClaim": {"extraVolumes": [{"name": "x", "persistentVolumeClaim": {}}]},
    "extraVolumeMounts.0.mountPropagation": {
        "extraVolumeMounts": [{"name": "x", "mountPath": "/srv", "mountPropagation": "Bidirectional"}]
    },
    "extraArgs.0": {"extraArgs": [""]},
    "resources.claims": {"resources": {"claims": [{"name": "device"}]}},
    "config.sync[0].target on a disk that is only read": {
        "config": {"sync": [{**ENTRY, "target": "ocidir:///srv/images:3.22"}]},
        "extraVolumes": [VOLUME],
        "extraVolumeMounts": [{"name": "x", "mountPath": "/srv/images", "readOnly": True}],
    },
    "config.sync[0].target beside a disk": {
        "config": {"sync": [{**ENTRY, "target": "ocidir:///srv/images2:3.22"}]},
        "extraVolumes": [VOLUME],
        "extraVolumeMounts": [{"name": "x", "mountPath": "/srv/images"}],
    },
}
