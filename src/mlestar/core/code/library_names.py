"""What the libraries of the field call their fitted steps, splitters and estimators."""

from __future__ import annotations

import ast

SUPERVISED = frozenset(
    """
    SelectKBest SelectPercentile SelectFpr SelectFdr SelectFwe GenericUnivariateSelect RFE RFECV SelectFromModel
    SequentialFeatureSelector BorutaPy Boruta TargetEncoder MEstimateEncoder JamesSteinEncoder CatBoostEncoder
    LeaveOneOutEncoder WOEEncoder WoEEncoder GLMMEncoder QuantileEncoder SummaryEncoder PolynomialWrapper
    NeighborhoodComponentsAnalysis PLSRegression MDLP OptimalBinning BinningProcess MeanEncoder
    DecisionTreeEncoder DecisionTreeDiscretiser RecursiveFeatureElimination RecursiveFeatureAddition
    SelectByShuffling SelectByTargetMeanPerformance SelectBySingleFeaturePerformance SMOTE SMOTENC SMOTEN
    BorderlineSMOTE SVMSMOTE KMeansSMOTE ADASYN RandomOverSampler RandomUnderSampler TomekLinks NearMiss
    EditedNearestNeighbours RepeatedEditedNearestNeighbours AllKNN CondensedNearestNeighbour OneSidedSelection
    NeighbourhoodCleaningRule InstanceHardnessThreshold ClusterCentroids SMOTEENN SMOTETomek
    """.split()  # noqa: SIM905 - a list of names reads better than a wall of quotes
)
"""Steps that learn from the target or change which rows there are."""

TARGET_FREE = frozenset(
    """
    StandardScaler MinMaxScaler MaxAbsScaler RobustScaler QuantileTransformer PowerTransformer KBinsDiscretizer
    SimpleImputer Imputer IterativeImputer KNNImputer MissingIndicator PCA IncrementalPCA KernelPCA SparsePCA
    MiniBatchSparsePCA TruncatedSVD FastICA NMF FactorAnalysis LatentDirichletAllocation UMAP Isomap OneHotEncoder
    OrdinalEncoder LabelEncoder LabelBinarizer CountVectorizer TfidfVectorizer TfidfTransformer DictVectorizer
    VarianceThreshold Nystroem SplineTransformer CountEncoder BinaryEncoder BaseNEncoder HelmertEncoder
    BackwardDifferenceEncoder CountFrequencyEncoder RareLabelEncoder MeanMedianImputer CategoricalImputer
    ArbitraryNumberImputer EndTailImputer RandomSampleImputer Winsorizer EqualFrequencyDiscretiser
    EqualWidthDiscretiser YeoJohnsonTransformer BoxCoxTransformer Tokenizer Normalization TextVectorization
    StringLookup IntegerLookup Discretization DropCorrelatedFeatures SmartCorrelatedSelection DropConstantFeatures
    """.split()  # noqa: SIM905 - a list of names reads better than a wall of quotes
)
"""Steps that learn from the features alone."""

STATELESS = frozenset(
    """
    HashingVectorizer FunctionTransformer Normalizer Binarizer PolynomialFeatures FeatureHasher
    MultiLabelBinarizer RBFSampler GaussianRandomProjection SparseRandomProjection ColumnSelector DropFeatures
    SelectFeatures
    """.split()  # noqa: SIM905 - a list of names reads better than a wall of quotes
)
"""Steps whose output for a row depends on that row alone."""

COMPOSERS = frozenset({"Pipeline", "make_pipeline", "ColumnTransformer", "make_column_transformer", "FeatureUnion"})
LABEL_ENCODERS = frozenset({"LabelEncoder", "LabelBinarizer", "OrdinalEncoder", "OneHotEncoder"})
SCALING_FUNCTIONS = frozenset(
    {"minmax_scale", "maxabs_scale", "robust_scale", "quantile_transform", "power_transform", "scale", "zscore"}
)
SPLIT_FUNCTIONS = frozenset(
    {"train_test_split", "random_split", "iterative_train_test_split", "temporal_train_test_split"}
)
CV_FUNCTIONS = frozenset(
    {
        "cross_val_score",
        "cross_validate",
        "cross_val_predict",
        "learning_curve",
        "validation_curve",
        "permutation_test_score",
    }
)
SEARCHES = frozenset(
    """
    GridSearchCV RandomizedSearchCV HalvingGridSearchCV HalvingRandomSearchCV BayesSearchCV OptunaSearchCV
    TuneSearchCV TuneGridSearchCV CalibratedClassifierCV LogisticRegressionCV RidgeCV RidgeClassifierCV LassoCV
    ElasticNetCV LassoLarsCV
    """.split()  # noqa: SIM905 - a list of names reads better than a wall of quotes
)
RANDOM_LIBRARIES = ("random", "numpy", "torch", "tensorflow", "sklearn", "xgboost", "lightgbm", "catboost", "jax")


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or attribute chain; a call or subscript within contributes nothing: `f().g` is `.g`."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(parts))


def last_name(node: ast.expr) -> str:
    """The rightmost name of a call's function."""
    return dotted(node).rpartition(".")[2]
