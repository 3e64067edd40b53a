/** Names the tests that passed only when they were run again, and why not at once: each is a fault of the test or of the product, to be looked into. */
export default class SecondTries {
  #found = [];

  onTestCaseResult(test) {
    if (!test.diagnostic()?.flaky) return;
    const lines = (test.result().errors ?? []).flatMap(({ message, stack }) =>
      (stack ?? message).split('\n'),
    );
    const why = lines.filter((line) => !line.includes('node_modules')).map((line) => `    ${line}`);
    this.#found.push([`  ${test.module.relativeModuleId} > ${test.fullName}`, ...why].join('\n'));
  }

  onTestRunEnd() {
    if (this.#found.length === 0) return;
    process.stdout.write(`Passed only when run again:\n${this.#found.join('\n')}\n`);
  }
}
