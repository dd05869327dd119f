{{- define "regsync.fullname" -}}
{{- contains "regsync" .Release.Name | ternary .Release.Name (printf "%s-regsync" .Release.Name) | replace "." "-" | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "regsync.selector" -}}
app.kubernetes.io/name: regsync
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "regsync.labels" -}}
{{ include "regsync.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "regsync.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "regsync.claim" -}}
{{ .Values.persistence.existingClaim | default (include "regsync.fullname" .) }}
{{- end }}
