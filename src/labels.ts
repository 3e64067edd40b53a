/**
 * Every label that aixcl reads or writes, in one place.
 *
 * Compose's own labels are written so that `docker compose ls`, Portainer and lazydocker show the stack; their meaning is
 * Compose's (`pkg/api/labels.go` of docker/compose). All that is ours stands under `io.aixcl.`.
 */
export const composeLabels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  /**
   * Compose sees only containers that carry one. Ours is never the one it computes, so its next `up` makes the container anew from the
   * same file (measured with 2.40.3).
   */
  configHash: 'com.docker.compose.config-hash',
  image: 'com.docker.compose.image',
  containerNumber: 'com.docker.compose.container-number',
  oneoff: 'com.docker.compose.oneoff',
  workingDir: 'com.docker.compose.project.working_dir',
  configFiles: 'com.docker.compose.project.config_files',
  network: 'com.docker.compose.network',
  volume: 'com.docker.compose.volume',
  dependsOn: 'com.docker.compose.depends_on',
  /** Name of the container that Compose 2 made this one to replace; it stays, as labels do. */
  replace: 'com.docker.compose.replace',
} as const;

export const labels = {
  /** The AIXCL_HOME that this object belongs to, as an absolute path. */
  home: 'io.aixcl.home',
  /** Hash over definition, image id and mounted scripts that the container was made from. */
  hash: 'io.aixcl.config-hash',
  /** Image reference that the container was made from; the engine's own record changes when the reference moves on. */
  image: 'io.aixcl.image',
  /**
   * Id of the container that this one was made to replace. It stays, for labels can't be changed; one that never ran and stands beside
   * another of its service is what an interrupted replacement left.
   */
  replaces: 'io.aixcl.replaces',
  /** Restart policy of the container that this one was made to replace, as Compose spells it: it goes back with that one. */
  replacedRestart: 'io.aixcl.replaced-restart',
  /** Of a container that does nothing but hold volumes: their names, with commas. It carries no label of Compose's. */
  guard: 'io.aixcl.guard',
  /** Operation that a helper container belongs to. */
  operation: 'io.aixcl.operation',
  /** What a volume holds: `models`, `state` or `disposable`. Anything else, or nothing, is precious too. */
  holds: 'io.aixcl.holds',
  /** How an image came to be, for those built on this machine; of one built by a definition, the hash of what it was built from. */
  built: 'io.aixcl.built',
} as const;
