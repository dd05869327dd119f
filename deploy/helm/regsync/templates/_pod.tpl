{{/* The pod's spec, given the chart's root and its `args` (and `probes`). */}}
{{- define "regsync.pod" -}}
{{- $v := .root.Values }}
{{- $ca := or $v.extraCA.pem $v.extraCA.existingConfigMap $v.extraCA.existingSecret }}
automountServiceAccountToken: false
enableServiceLinks: false
serviceAccountName: {{ $v.serviceAccount.existingName | default (include "regsync.fullname" .root) }}
terminationGracePeriodSeconds: {{ .stopping }}
{{- with $v.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $v.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
containers:
  - name: regsync
    image: {{ include "regsync.image" .root }}
    imagePullPolicy: {{ $v.image.pullPolicy }}
    args: {{- toYaml (concat .args $v.extraArgs) | nindent 6 }}
    {{- if or $ca $v.logins.existingSecret $v.extraEnv }}
    env:
      {{- if $v.logins.existingSecret }}
      - name: DOCKER_CONFIG
        value: /run/secrets/docker
      {{- end }}
      {{- if $ca }}
      - name: SSL_CERT_DIR
        value: /etc/ssl/regsync
      {{- end }}
      {{- with $v.extraEnv }}{{ toYaml . | nindent 6 }}{{ end }}
    {{- end }}
    {{- with .probes }}{{ . | nindent 4 }}{{ end }}
    resources: {{- toYaml $v.resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    volumeMounts:
      - name: config
        mountPath: /etc/regsync
        readOnly: true
      {{- if $v.logins.existingSecret }}
      - name: logins
        mountPath: /run/secrets/docker
        readOnly: true
      {{- end }}
      {{- if $v.secrets.existingSecret }}
      - name: secrets
        mountPath: /run/secrets/regsync
        readOnly: true
      {{- end }}
      {{- if $ca }}
      - name: authorities
        mountPath: /etc/ssl/regsync
        readOnly: true
      {{- end }}
      - name: data
        mountPath: /var/lib/regsync
      - name: tmp
        mountPath: /tmp
      {{- with $v.extraVolumeMounts }}{{ toYaml . | nindent 6 }}{{ end }}
volumes: {{- include "regsync.volumes" .root | trim | nindent 2 }}
{{- end }}

{{- define "regsync.volumes" -}}
{{- $v := .Values }}
- name: config
  configMap:
    name: {{ $v.existingConfigMap | default (include "regsync.fullname" .) }}
    defaultMode: 0440
{{- with $v.logins.existingSecret }}
- name: logins
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: {{ $v.logins.key }}
        path: config.json
{{- end }}
{{- with $v.secrets.existingSecret }}
- name: secrets
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- if $v.extraCA.existingSecret }}
- name: authorities
  secret:
    secretName: {{ $v.extraCA.existingSecret }}
    defaultMode: 0440
{{- else if or $v.extraCA.pem $v.extraCA.existingConfigMap }}
- name: authorities
  configMap:
    name: {{ $v.extraCA.existingConfigMap | default (printf "%s-ca" (include "regsync.fullname" .)) }}
    defaultMode: 0440
{{- end }}
- name: data
{{- if $v.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "regsync.claim" . }}
{{- else }}
  emptyDir:
    sizeLimit: {{ $v.persistence.emptyDirLimit }}
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- with $v.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
