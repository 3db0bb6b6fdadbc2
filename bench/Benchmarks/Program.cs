using BenchmarkDotNet.Running;

// `-- --list flat` lists them, `-- --filter '*Names*'` runs some.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
