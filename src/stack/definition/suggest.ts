import type * as z from 'zod/mini';

/** Keys of Compose that aixcl leaves out, so that nobody takes them for a slip of the pen. */
const composeKeys = new Set(
  (
    'annotations attach blkio_config cgroup cgroup_parent configs cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period ' +
    'cpu_rt_runtime cpu_shares cpus cpuset credential_spec develop device_cgroup_rules dns dns_opt dns_search domainname ' +
    'expose extends external_links include ipc isolation label_file links mac_address mem_limit mem_reservation mem_swappiness ' +
    'memswap_limit models oom_kill_disable oom_score_adj pid pids_limit post_start pre_stop provider scale secrets stdin_open ' +
    'storage_opt sysctls tty userns_mode use_api_socket uts volumes_from additional_contexts cache_from cache_to ' +
    'dockerfile_inline no_cache network pull ssh tags mode replicas placement restart_policy update_config ipv6_address ' +
    'priority attachable enable_ipv4 enable_ipv6 subpath options generic_resources interface_name link_local_ips aux_addresses'
  ).split(' '),
);

/** Why a key that Compose knows is refused; undefined for any other. */
export function unsupported(key: string): string | undefined {
  if (key === 'version') return 'obsolete and without effect in Compose; remove it';
  return composeKeys.has(key) ? 'Compose knows this key, aixcl does not support it' : undefined;
}

/** Keys that the schema knows in the object at `path`. */
export function supportedKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let candidates = [schema as z.core.$ZodTypes];
  for (const part of path) candidates = candidates.flatMap(unwrap).flatMap((type) => step(type, part));
  return candidates
    .flatMap(unwrap)
    .flatMap((type) => (type._zod.def.type === 'object' ? Object.keys(type._zod.def.shape) : []));
}

function unwrap(type: z.core.$ZodTypes): z.core.$ZodTypes[] {
  const def = type._zod.def;
  if (def.type === 'optional') return unwrap(def.innerType as z.core.$ZodTypes);
  if (def.type === 'union') return def.options.flatMap((option) => unwrap(option as z.core.$ZodTypes));
  return [type];
}

function step(type: z.core.$ZodTypes, part: PropertyKey): z.core.$ZodTypes[] {
  const def = type._zod.def;
  if (def.type === 'array') return [def.element as z.core.$ZodTypes];
  if (def.type === 'record') return [def.valueType as z.core.$ZodTypes];
  if (def.type !== 'object') return [];
  const next = def.shape[String(part)];
  return next ? [next as z.core.$ZodTypes] : [];
}
