import type { Consolidated } from '../../../consolidate/consolidated-facts.ts';

/** Of what, and how, a merged model was made, in one line for people. */
export function consolidatedText({ base, adapter, way }: Consolidated): string {
  const { command, scale, type, quantize } = way;
  const how = [
    ...(command === null ? [] : [`merged by ${command}`]),
    ...(scale === null ? [] : [`scale ${Number(scale.toPrecision(6))}`]),
    ...(type === null ? [] : [type]),
    ...(quantize === null ? [] : [`quantized to ${quantize}`]),
  ];
  return `${base.name} and ${adapter.version}${how.length > 0 ? `: ${how.join(', ')}` : ''}`;
}
