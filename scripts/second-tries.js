/** Names the tests that passed only when they were run again: each is a fault of the test or, more often, of the product, to be looked into. */
export default class SecondTries {
  #names = [];

  onTestCaseResult(test) {
    const { flaky, retryCount } = test.diagnostic() ?? {};
    if (flaky)
      this.#names.push(`${test.module.relativeModuleId} > ${test.fullName} (${retryCount + 1} tries)`);
  }

  onTestRunEnd() {
    if (this.#names.length === 0) return;
    process.stdout.write(`Passed only when run again:\n${this.#names.map((name) => `  ${name}\n`).join('')}`);
  }
}
