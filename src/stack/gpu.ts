import { AixclError } from '../errors.ts';
import type { EngineInfo } from './engine.ts';

export type GpuVendor = 'nvidia' | 'amd';
export type GpuWish = 'auto' | 'none' | GpuVendor;

export interface Gpu {
  /** What this machine has. */
  readonly host: GpuVendor | undefined;
  /** What the services get; the name of the overlay `compose.NAME.yaml`. */
  readonly given: GpuVendor | undefined;
  /** What is lost and how to mend it, when the host has a GPU that the services don't get unasked. */
  readonly problem: { readonly message: string; readonly mend: string } | undefined;
}

/** Decides which GPU the services get. `engine` is asked only where the machine has one, or one is demanded. */
export async function chooseGpu(
  wish: GpuWish,
  host: GpuVendor | undefined,
  engine: () => Promise<EngineInfo>,
): Promise<Gpu> {
  if (wish === 'none') return { host, given: undefined, problem: undefined };
  const vendor = wish === 'auto' ? host : wish;
  if (!vendor) return { host, given: undefined, problem: undefined };
  if (vendor === 'amd' && host === 'amd') return { host, given: 'amd', problem: undefined };
  if (vendor === 'nvidia' && givesNvidia(await engine()))
    return { host, given: 'nvidia', problem: undefined };
  const problem = problems[vendor];
  if (wish !== 'auto') throw new AixclError('refused', problem.message, { hint: problem.mend });
  return { host, given: undefined, problem };
}

function givesNvidia({ runtimes, cdiDevices }: EngineInfo): boolean {
  return runtimes.includes('nvidia') || cdiDevices.some((device) => device.startsWith('nvidia.com/gpu'));
}

const problems = {
  nvidia: {
    message: 'the engine gives containers no NVIDIA GPU: models run on the processor, many times slower',
    mend: 'Install nvidia-container-toolkit, then: sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker && aixcl stack start',
  },
  amd: {
    message: 'this machine offers no AMD GPU to containers: /dev/kfd and /dev/dri are not both there',
    mend: 'Load the driver (sudo modprobe amdgpu), or start without: aixcl stack start --gpu none',
  },
} as const;
