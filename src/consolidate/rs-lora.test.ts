import { expect, test } from 'vitest';
import { parseAdapterConfig, scaleRule } from './rs-lora.ts';

const rsLora = { useRsLora: true, alpha: 16 };

test.each([
  [undefined, undefined, false],
  [undefined, { useRsLora: false, alpha: 16 }, false],
  [undefined, rsLora, true],
  [undefined, { useRsLora: true, alpha: undefined }, true],
  [false, rsLora, false],
  [true, undefined, true],
  [true, { useRsLora: false, alpha: 16 }, true],
])('asked %s, configured %o: rsLoRA is %s', (asked, config, wanted) => {
  expect(scaleRule(asked, config, 16).rsLora).toBe(wanted);
});

test('an alpha that the converter changed for rsLoRA is not scaled again', () => {
  expect(scaleRule(undefined, rsLora, 64)).toEqual({
    rsLora: false,
    because: 'adapter_config.json says rsLoRA, and the alpha of the GGUF takes it into account',
  });
});

test('a configuration is read as PEFT writes it', () => {
  const text = JSON.stringify({ peft_type: 'LORA', r: 8, lora_alpha: 16, use_rslora: true });
  expect(parseAdapterConfig(text, 'x')).toEqual(rsLora);
  expect(parseAdapterConfig('{"lora_alpha": "a"}', 'x')).toEqual({ useRsLora: false, alpha: undefined });
  expect(parseAdapterConfig('null', 'x')).toEqual({ useRsLora: false, alpha: undefined });
  expect(() => parseAdapterConfig('{', '/a/adapter_config.json')).toThrow(
    '/a/adapter_config.json is no JSON',
  );
});
