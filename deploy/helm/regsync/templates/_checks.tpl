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
{{- if and (eq $v.mode "server") (regexMatch "^[0-9]" .Release.Name) }}{{ fail (printf "the release's name: a Service may not be called %s; begin with a letter" (include "regsync.fullname" .)) }}{{ end }}
{{- include "regsync.checkExtras" . }}
{{- include "regsync.checkSchedule" $v.cronjob }}
{{- include "regsync.checkResources" $v.resources }}
{{- if and $v.serviceAccount.existingName $v.serviceAccount.annotations }}{{ fail (printf "serviceAccount.annotations: %s is made by others; annotate it there, or leave out existingName" $v.serviceAccount.existingName) }}{{ end }}
{{- if $v.config }}
{{- if gt (len (kindIs "string" $v.config | ternary $v.config (toYaml $v.config))) 1048000 }}{{ fail "config: it is longer than a ConfigMap may be, which is 1 MiB; make two releases of it" }}{{ end }}
{{- $config := kindIs "map" $v.config | ternary $v.config (fromYaml (toString $v.config)) }}
{{- with $config.Error }}{{ fail (printf "config: it is no mapping in YAML: %s" .) }}{{ end }}
{{- include "regsync.checkConfig" (dict "values" $v "config" $config) }}
{{- end }}
{{- end }}

{{/* What is added to the pod: it must not take the place of what the chart sets, nor name what is not there. */}}
{{- define "regsync.checkExtras" -}}
{{- $v := .Values }}
{{- $names := list }}
{{- range $at, $one := $v.extraEnv }}
{{- if has $one.name $names }}{{ fail (printf "extraEnv[%d].name: %s is there twice" $at $one.name) }}{{ end }}
{{- $names = append $names $one.name }}
{{- if or (and (eq $one.name "DOCKER_CONFIG") $v.logins.existingSecret) (and (eq $one.name "SSL_CERT_DIR") (or $v.extraCA.pem $v.extraCA.existingConfigMap $v.extraCA.existingSecret)) }}
{{- fail (printf "extraEnv[%d].name: %s is set by logins or extraCA" $at $one.name) }}
{{- end }}
{{- end }}
{{- range $at, $word := $v.extraArgs }}
{{- with get (dict "--config" "config" "-c" "config" "--listen" "service.port" "--grace" "graceSeconds" "--missing" "cronjob.missing") (regexFind "^-c|^[^=]+" $word) }}
{{- fail (printf "extraArgs[%d]: the chart sets that option; %s is its value" $at .) }}
{{- end }}
{{- end }}
{{- $names = list "config" "logins" "secrets" "authorities" "data" "tmp" }}
{{- range $at, $one := $v.extraVolumes }}
{{- if has $one.name $names }}{{ fail (printf "extraVolumes[%d].name: %s is taken" $at $one.name) }}{{ end }}
{{- $names = append $names $one.name }}
{{- end }}
{{- $paths := list "/" "/var/lib/regsync" "/tmp" }}
{{- range $at, $one := $v.extraVolumeMounts }}
{{- if not (has $one.name $names) }}{{ fail (printf "extraVolumeMounts[%d].name: there is no volume %s in extraVolumes" $at $one.name) }}{{ end }}
{{- if has (clean $one.mountPath) $paths }}{{ fail (printf "extraVolumeMounts[%d].mountPath: %s is taken" $at $one.mountPath) }}{{ end }}
{{- $paths = append $paths (clean $one.mountPath) }}
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
{{- $fields := regexSplit "\\s+" .schedule -1 }}
{{- include "regsync.checkTime" (dict "what" "minute" "low" 0 "high" 59 "field" (index $fields 0)) }}
{{- include "regsync.checkTime" (dict "what" "hour" "low" 0 "high" 23 "field" (index $fields 1)) }}
{{- include "regsync.checkTime" (dict "what" "day of the month" "low" 1 "high" 31 "field" (index $fields 2)) }}
{{- include "regsync.checkTime" (dict "what" "month" "low" 1 "high" 12 "field" (index $fields 3) "names" (splitList " " "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")) }}
{{- include "regsync.checkTime" (dict "what" "day of the week" "low" 0 "high" 6 "field" (index $fields 4) "names" (splitList " " "SUN MON TUE WED THU FRI SAT")) }}
{{- end }}
{{- if and (eq (dateInZone "MST" now .timeZone) "UTC") (ne (dateInZone "MST" now "Asia/Tokyo") "UTC") (not (regexMatch "^(Etc/)?(UTC|UCT|Universal|Zulu)$" .timeZone)) }}
{{- fail (printf "cronjob.timeZone: there is no %s, give one like Europe/Berlin" .timeZone) }}
{{- end }}
{{- end }}

{{- define "regsync.checkTime" -}}
{{- $time := . }}
{{- $wrong := printf "cronjob.schedule: %s is no %s" .field .what }}
{{- $field := upper .field }}
{{- range $at, $name := .names }}{{ $field = regexReplaceAll (printf "\\b%s\\b" $name) $field (toString (add $at $time.low)) }}{{ end }}
{{- range splitList "," $field }}
{{- if not (regexMatch "^([*?]|[0-9]+(-[0-9]+)?)(/0*[1-9][0-9]*)?$" .) }}{{ fail $wrong }}{{ end }}
{{- $range := regexFindAll "[0-9]+" (index (splitList "/" .) 0) -1 }}
{{- range $range }}
{{- if or (lt (atoi .) $time.low) (gt (atoi .) $time.high) }}{{ fail (printf "%s, which goes from %d to %d" $wrong $time.low $time.high) }}{{ end }}
{{- end }}
{{- if eq (len $range) 2 }}
{{- if gt (atoi (first $range)) (atoi (last $range)) }}{{ fail $wrong }}{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a pod asks for is at most what it may have. */}}
{{- define "regsync.checkResources" -}}
{{- $limits := .limits }}
{{- range $name, $asked := .requests }}
{{- with get ($limits | default dict) $name }}
{{- if gt (float64 (include "regsync.quantity" $asked)) (float64 (include "regsync.quantity" .)) }}
{{- fail (printf "resources.limits.%s: %v is below resources.requests.%s, which is %v" $name . $name $asked) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "regsync.quantity" -}}
{{- if kindIs "string" . }}
{{- $number := regexFind "^[0-9.]+" . }}
{{- $unit := trimPrefix $number . }}
{{- $power := 0 }}
{{- range $at, $one := list "K" "M" "G" "T" "P" }}{{ if hasPrefix $one (upper $unit) }}{{ $power = add $at 1 }}{{ end }}{{ end }}
{{- $amount := eq $unit "m" | ternary (divf $number 1000) (float64 $number) }}
{{- range until (eq $unit "m" | ternary 0 (int $power)) }}{{ $amount = mulf $amount (hasSuffix "i" $unit | ternary 1024 1000) }}{{ end }}
{{- $amount }}
{{- else }}{{ . }}{{ end }}
{{- end }}
