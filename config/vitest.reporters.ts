// What tells of a run: the terminal, and a file in $TEST_RESULTS for a program that counts.
const { TEST_RESULTS } = process.env

type Reporter = string | [string, { outputFile: string }]

export const reportersFor = (suite: string): Reporter[] =>
  TEST_RESULTS === undefined
    ? ['default']
    : ['default', ['json', { outputFile: `${TEST_RESULTS}/${suite}.json` }]]
