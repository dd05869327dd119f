{{/* What the schema of values cannot say: keys that do not go together. Each message begins with the key's name. */}}
{{- define "regsync.checks" -}}
{{- $v := .Values }}
{{- if and $v.config $v.existingConfigMap }}{{ fail "config: there is existingConfigMap, too; give one of them" }}{{ end }}
{{- if not (or $v.config $v.existingConfigMap) }}{{ fail "config: give regsync.yml there, or the ConfigMap that has it as existingConfigMap" }}{{ end }}
{{- if gt (len (compact (list $v.extraCA.pem $v.extraCA.existingConfigMap $v.extraCA.existingSecret))) 1 }}
{{- fail "extraCA: give one of pem, existingConfigMap and existingSecret" }}
{{- end }}
{{- if and $v.serviceMonitor.enabled (ne $v.mode "server") }}{{ fail "serviceMonitor.enabled: a CronJob has nothing to scrape; set mode: server, or leave this out" }}{{ end }}
{{- if and $v.persistence.existingClaim (not $v.persistence.enabled) }}{{ fail "persistence.existingClaim: set persistence.enabled: true, too" }}{{ end }}
{{- include "regsync.checkExtras" . }}
{{- include "regsync.checkSchedule" $v.cronjob }}
{{- if and $v.serviceAccount.existingName $v.serviceAccount.annotations }}{{ fail (printf "serviceAccount.annotations: %s is made by others; annotate it there, or leave out existingName" $v.serviceAccount.existingName) }}{{ end }}
{{- if $v.config }}
{{- $config := kindIs "map" $v.config | ternary $v.config (fromYaml (toString $v.config)) }}
{{- with $config.Error }}{{ fail (printf "config: it is no mapping in YAML: %s" .) }}{{ end }}
{{- include "regsync.checkConfig" (dict "values" $v "config" $config) }}
{{- end }}
{{- end }}

{{/* What is added to the pod: it must not take the place of what the chart sets, nor name what is not there. */}}
{{- define "regsync.checkExtras" -}}
{{- $v := .Values }}
{{- range $at, $one := $v.extraEnv }}
{{- if or (and (eq $one.name "DOCKER_CONFIG") $v.logins.existingSecret) (and (eq $one.name "SSL_CERT_DIR") (or $v.extraCA.pem $v.extraCA.existingConfigMap $v.extraCA.existingSecret)) }}
{{- fail (printf "extraEnv[%d].name: %s is set by logins or extraCA" $at $one.name) }}
{{- end }}
{{- end }}
{{- range $at, $word := $v.extraArgs }}
{{- with get (dict "--config" "config" "-c" "config" "--listen" "service.port" "--grace" "graceSeconds" "--missing" "cronjob.missing") (regexFind "^-c|^[^=]+" $word) }}
{{- fail (printf "extraArgs[%d]: the chart sets that option; %s is its value" $at .) }}
{{- end }}
{{- end }}
{{- $names := list "config" "logins" "secrets" "authorities" "data" "tmp" }}
{{- range $at, $one := $v.extraVolumes }}
{{- if has $one.name $names }}{{ fail (printf "extraVolumes[%d].name: %s is taken" $at $one.name) }}{{ end }}
{{- $names = append $names $one.name }}
{{- end }}
{{- range $at, $one := $v.extraVolumeMounts }}
{{- if not (has $one.name $names) }}{{ fail (printf "extraVolumeMounts[%d].name: there is no volume %s in extraVolumes" $at $one.name) }}{{ end }}
{{- if has (clean $one.mountPath) (list "/" "/var/lib/regsync" "/tmp") }}{{ fail (printf "extraVolumeMounts[%d].mountPath: %s is taken" $at $one.mountPath) }}{{ end }}
{{- range list "/etc/regsync" "/run/secrets/regsync" "/run/secrets/docker" "/etc/ssl/regsync" }}
{{- if hasPrefix (print . "/") (print (clean $one.mountPath) "/") }}{{ fail (printf "extraVolumeMounts[%d].mountPath: %s is taken, and nothing can be mounted in it" $at .) }}{{ end }}
{{- end }}
{{- end }}
{{- include "regsync.checkLabels" (dict "key" "podLabels" "labels" $v.podLabels) }}
{{- include "regsync.checkLabels" (dict "key" "serviceMonitor.labels" "labels" $v.serviceMonitor.labels) }}
{{- end }}

{{- define "regsync.checkLabels" -}}
{{- $key := .key }}
{{- range keys .labels }}
{{- if has . (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart") }}
{{- fail (printf "%s: %s is set by the chart" $key .) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Times that Kubernetes takes. Where Helm's machine knows no zones at all, none can be missed. */}}
{{- define "regsync.checkSchedule" -}}
{{- if not (hasPrefix "@" .schedule) }}
{{- $fields := list (list "minute" 0 59) (list "hour" 0 23) (list "day of a month" 1 31) (list "month" 1 12) (list "day of a week" 0 6) }}
{{- range $at, $field := regexSplit "\\s+" .schedule -1 }}
{{- $limits := index $fields $at }}
{{- range regexFindAll "(^|[,-])[0-9]+" $field -1 }}
{{- $number := atoi (trimPrefix "-" (trimPrefix "," .)) }}
{{- if or (lt $number (index $limits 1)) (gt $number (index $limits 2)) }}
{{- fail (printf "cronjob.schedule: %d is no %s, which goes from %d to %d" $number (index $limits 0) (index $limits 1) (index $limits 2)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (eq (dateInZone "MST" now .timeZone) "UTC") (ne (dateInZone "MST" now "Asia/Tokyo") "UTC") (not (regexMatch "^(Etc/)?(UTC|UCT|Universal|Zulu)$" .timeZone)) }}
{{- fail (printf "cronjob.timeZone: there is no %s, give one like Europe/Berlin" .timeZone) }}
{{- end }}
{{- end }}
