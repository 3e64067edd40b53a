/** The stack as its Compose files define it: interpolated, merged, checked, with every short form expanded. */
export interface StackDefinition {
  /** Compose project name. */
  readonly project: string;
  /** Folder of the first file; relative paths start here. */
  readonly directory: string;
  /** Absolute paths, in the order in which they were merged. */
  readonly files: readonly string[];
  /** Every service by name, in file order, also those whose profile is not active. */
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  /** By key in the file. */
  readonly volumes: ReadonlyMap<string, VolumeDefinition>;
  /** By key in the file; `default` is there whenever a service uses it. */
  readonly networks: ReadonlyMap<string, NetworkDefinition>;
  /** What Compose would warn of too, a variable that is not set, say. One sentence each. */
  readonly warnings: readonly string[];
}

export interface ServiceDefinition {
  readonly name: string;
  /** Reference as written. A service with `build` and no `image` gets Compose's name, `PROJECT-SERVICE`. */
  readonly image: string;
  readonly build?: BuildDefinition;
  readonly pullPolicy?: 'always' | 'missing' | 'never' | 'build';
  readonly platform?: string;
  /** `container_name`, else Compose's `PROJECT-SERVICE-1`. */
  readonly containerName: string;
  readonly profiles: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** `env_file` under `environment`; values are final. Null: the name alone, which takes away what the image sets. */
  readonly environment: ReadonlyMap<string, string | null>;
  readonly ports: readonly PortDefinition[];
  readonly mounts: readonly MountDefinition[];
  /** Attached networks by key; empty with `networkMode`. */
  readonly networks: ReadonlyMap<string, NetworkAttachment>;
  readonly networkMode?: string;
  readonly dependsOn: ReadonlyMap<string, Dependency>;
  readonly healthcheck?: HealthcheckDefinition;
  readonly labels: ReadonlyMap<string, string>;
  readonly restart?: RestartPolicy;
  readonly init?: boolean;
  readonly user?: string;
  readonly groupAdd: readonly string[];
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly extraHosts: readonly string[];
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly securityOpt: readonly string[];
  readonly readOnly?: boolean;
  readonly privileged?: boolean;
  /** `HOST:CONTAINER:PERMISSIONS`. */
  readonly devices: readonly string[];
  readonly deviceRequests: readonly DeviceRequest[];
  readonly runtime?: string;
  /** Bytes. */
  readonly shmSize?: number;
  readonly ulimits: ReadonlyMap<string, { readonly soft: number; readonly hard: number }>;
  readonly resources: ResourceLimits;
  readonly stopSignal?: string;
  /** Milliseconds. */
  readonly stopGracePeriod?: number;
  readonly logging?: { readonly driver?: string; readonly options: ReadonlyMap<string, string> };
}

export interface BuildDefinition {
  /** Absolute path. */
  readonly context: string;
  /** Relative to the context. */
  readonly dockerfile: string;
  readonly args: ReadonlyMap<string, string>;
  readonly target?: string;
}

export interface PortDefinition {
  readonly hostIp?: string;
  /** Host port or range as written (`8080`, `8000-8010`); absent: the engine chooses. */
  readonly published?: string;
  readonly target: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}

export type MountDefinition =
  | {
      readonly kind: 'bind';
      /** Absolute host path. */
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
      /** False: a missing source is an error. True only where the file says `create_host_path: true` in long form. */
      readonly createSource: boolean;
      readonly propagation?: string;
      /** Relabelling on hosts with SELinux: `z` shared, `Z` private. The engine takes it in `Binds` alone. */
      readonly selinux?: 'z' | 'Z';
    }
  | {
      readonly kind: 'volume';
      /** Key under top-level `volumes`; absent: anonymous. */
      readonly source?: string;
      readonly target: string;
      readonly readOnly: boolean;
      readonly noCopy: boolean;
    }
  | {
      readonly kind: 'tmpfs';
      readonly target: string;
      /** Bytes. */
      readonly size?: number;
      /** Permission bits. */
      readonly mode?: number;
      /** Raw mount options of a `tmpfs:` entry (`rw,noexec`). */
      readonly options?: string;
    };

export interface NetworkAttachment {
  readonly aliases: readonly string[];
  readonly ipv4Address?: string;
}

export interface Dependency {
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully';
  /** False: the dependent starts also when this service is not there. */
  readonly required: boolean;
  /** True: the dependent is restarted after this service was recreated. */
  readonly restart: boolean;
}

/** Times in milliseconds; an absent one is the engine's default (30 s, 30 s, 0, 5 s). */
export interface HealthcheckDefinition {
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', command]`. */
  readonly test?: readonly string[];
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
  readonly retries?: number;
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'on-failure' | 'unless-stopped';
  readonly maximumRetryCount?: number;
}

export interface DeviceRequest {
  readonly driver?: string;
  /** -1: all. */
  readonly count?: number;
  readonly deviceIds?: readonly string[];
  readonly capabilities: readonly string[];
}

/** `deploy.resources.limits` and `.reservations`. */
export interface ResourceLimits {
  /** Bytes. */
  readonly memory?: number;
  /** Cores; fractions allowed. */
  readonly cpus?: number;
  readonly pids?: number;
  /** Bytes. */
  readonly memoryReservation?: number;
}

export interface VolumeDefinition {
  readonly key: string;
  /** Name on the engine: `name:`, else `PROJECT_KEY`. */
  readonly name: string;
  readonly external: boolean;
  readonly driver?: string;
  readonly driverOpts: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
}

export interface NetworkDefinition {
  readonly key: string;
  readonly name: string;
  readonly external: boolean;
  readonly driver?: string;
  readonly driverOpts: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly internal: boolean;
  readonly ipam: readonly {
    readonly subnet?: string;
    readonly gateway?: string;
    readonly ipRange?: string;
  }[];
}
